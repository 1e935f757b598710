-- What one has said, as a table that is only read.

begin;
select plan(14);

select is((select reloptions from pg_class where oid = 'api.feedback'::regclass), array['security_invoker=true'], 'row level security decides, as the caller');
select columns_are('api', 'feedback', array['campus_id', 'time_slot', 'user_id', 'rating', 'comment', 'created_at']);
select table_privs_are('api', 'feedback', role::name, rights, role || ' may read or nothing')
from (values ('anon', array[]::text[]), ('authenticated', array['SELECT']), ('service_role', array['SELECT'])) as r (role, rights);

select tests.create_member(name) from unnest('{ann,ben,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select tests.clock_stands(tests.slot('two') + interval '1 hour');
select tests.gave_feedback('ann', 'two', 4);
select tests.gave_feedback('ben', 'two', 1);

select tests.act_as('ann');
select results_eq('select * from api.feedback', $$ values ('stanford', tests.slot('two'), tests.member('ann'), 4::smallint, null, tests.slot('two') + interval '1 hour') $$, 'Ann sees what she said, not what Ben said');
select throws_ok(statement, '42501', null, 'and can''t ' || split_part(statement, ' ', 1))
from unnest(array['insert into api.feedback (rating) values (5)', 'update api.feedback set rating = 5', 'delete from api.feedback']) as s (statement);
select tests.act_as('fay');
select is_empty('select from api.feedback', 'who said nothing sees nothing');
select tests.act_as('mia');
select is_empty('select from api.feedback', 'nor does another campus');
select tests.act_as_role('anon');
select throws_ok('select from api.feedback', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select sum(rating) from api.feedback), 5::bigint, 'a trusted server sees all');
select throws_ok('delete from api.feedback', '42501', null, 'and writes none');

select * from finish();
rollback;
