-- One's circles as a table that is only read.

begin;
select plan(15);

select is((select reloptions from pg_class where oid = 'api.circles'::regclass), array['security_invoker=true'], 'row level security decides, as the caller');
select columns_are('api', 'circles', array['campus_id', 'time_slot', 'circle_no', 'spot_id']);
select table_privs_are('api', 'circles', role::name, rights, role || ' may read or nothing')
from (values ('anon', array[]::text[]), ('authenticated', array['SELECT']), ('service_role', array['SELECT'])) as r (role, rights);

select tests.create_member(name) from unnest('{ann,ben,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('mits', '14:00', 'mit');
select tests.in_circle(name, slot, circle) from (values ('ann', 'two', 1), ('ben', 'two', 2), ('mia', 'mits', 1)) as places (name, slot, circle);
select app.add_meeting_spot('stanford', 'steps', 'Library steps');
update app.circles set spot_id = 'steps' where campus_id = 'stanford' and circle_no = 1;

select tests.act_as('ann');
select results_eq('select * from api.circles', $$ values ('stanford', tests.slot('two'), 1, 'steps') $$, 'Ann sees hers, and where it meets');
select throws_ok(statement, '42501', null, 'and can''t ' || split_part(statement, ' ', 1))
from unnest(array['insert into api.circles values (''stanford'', now(), 9)', 'update api.circles set spot_id = null', 'delete from api.circles']) as s (statement);
select tests.act_as('fay');
select is_empty('select from api.circles', 'who is in none sees none');
select tests.act_as('mia');
select results_eq('select campus_id from api.circles', array['mit'], 'another campus''s circle of the same number and time is another circle');
select tests.act_as(null);
select is_empty('select from api.circles', 'a token that names nobody sees none');
select tests.act_as_role('anon');
select throws_ok('select from api.circles', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from api.circles), 3::bigint, 'a trusted server sees all');
select throws_ok('delete from api.circles', '42501', null, 'and writes none');

select * from finish();
rollback;
