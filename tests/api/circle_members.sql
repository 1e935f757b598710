-- Who is in one's circles, as a table that is only read.

begin;
select plan(15);

select is((select reloptions from pg_class where oid = 'api.circle_members'::regclass), array['security_invoker=true'], 'row level security decides, as the caller');
select columns_are('api', 'circle_members', array['campus_id', 'time_slot', 'circle_no', 'user_id'], 'not who came');
select table_privs_are('api', 'circle_members', role::name, rights, role || ' may read or nothing')
from (values ('anon', array[]::text[]), ('authenticated', array['SELECT']), ('service_role', array['SELECT'])) as r (role, rights);

-- Given Ann, Ben and Cas in a circle, and Dan in the other; Cas gave up the place.
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('cas');

select tests.act_as('ann');
select results_eq('select circle_no, display_name from api.circle_members inner join api.profiles using (campus_id, user_id) order by 2', $$ values (1, 'Ann'), (1, 'Ben') $$, 'Ann sees who comes, and joins the names');
select throws_ok(statement, '42501', null, 'and can''t ' || split_part(statement, ' ', 1))
from unnest(array['insert into api.circle_members values (''stanford'', now(), 1)', 'update api.circle_members set circle_no = 2', 'delete from api.circle_members']) as s (statement);
select tests.act_as('cas');
select is_empty('select from api.circle_members', 'who gave up the place sees none, the own one included');
select tests.act_as('dan');
select results_eq('select user_id from api.circle_members', $$ values (tests.member('dan')) $$, 'Dan sees only Dan');
select tests.act_as('mia');
select is_empty('select from api.circle_members', 'another campus sees none');
select tests.act_as_role('anon');
select throws_ok('select from api.circle_members', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from api.circle_members), 3::bigint, 'a trusted server sees all places that are taken');
select throws_ok('delete from api.circle_members', '42501', null, 'and writes none');

select * from finish();
rollback;
