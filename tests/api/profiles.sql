-- Names of oneself and of circle-mates, as a table that is only read.

begin;
select plan(15);

select is((select reloptions from pg_class where oid = 'api.profiles'::regclass), array['security_invoker=true'], 'row level security decides, as the caller');
select columns_are('api', 'profiles', array['campus_id', 'user_id', 'display_name'], 'an address that is no column can''t be filtered by either');
select table_privs_are('api', 'profiles', role::name, rights, role || ' may read or nothing')
from (values ('anon', array[]::text[]), ('authenticated', array['SELECT']), ('service_role', array['SELECT'])) as r (role, rights);

-- Given Ann and Ben in a circle, Dan in another, whom Ann blocks.
select tests.create_member(name) from unnest('{ann,ben,dan}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,dan}'::text[]) as names (name);
select tests.blocked('ann', 'dan');

select tests.act_as('ann');
select results_eq('select * from api.profiles order by display_name', $$ values ('stanford', tests.member('ann'), 'Ann'), ('stanford', tests.member('ben'), 'Ben') $$, 'Ann sees herself and her mate');
select throws_ok(statement, '42501', null, 'and can''t ' || split_part(statement, ' ', 1))
from unnest(array['insert into api.profiles values (''stanford'', gen_random_uuid(), ''X'')', 'update api.profiles set display_name = ''X''', 'delete from api.profiles']) as s (statement);
select tests.act_as('dan');
select results_eq('select display_name from api.profiles', array['Dan'], 'Dan sees only Dan: a block shows nobody');
select tests.act_as('mia');
select results_eq('select display_name from api.profiles', array['Mia'], 'Mia only Mia');
select tests.act_as(null);
select is_empty('select from api.profiles', 'a token that names nobody sees nobody');
select tests.act_as_role('anon');
select throws_ok('select from api.profiles', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from api.profiles), 4::bigint, 'a trusted server sees all');
select throws_ok('update api.profiles set display_name = ''X''', '42501', null, 'and writes none');

select * from finish();
rollback;
