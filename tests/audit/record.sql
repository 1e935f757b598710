-- The trail: who, what, when, from where; written by one function, changed by nobody.

begin;
select plan(17);

select is_definer('audit', 'record', array['text', 'text', 'uuid', 'timestamp with time zone', 'jsonb'], 'app functions hold no right on the trail');
select function_privs_are('audit', 'record', array['text', 'text', 'uuid', 'timestamptz', 'jsonb'], 'circle27_owner', array['EXECUTE']);
select function_privs_are('audit', 'record', array['text', 'text', 'uuid', 'timestamptz', 'jsonb'], 'service_role', array[]::text[]);
select table_privs_are('audit', 'log', 'circle27_owner', array[]::text[]);
select is_empty(
  $$ select c.relname, p from pg_class as c cross join unnest(array['update', 'delete', 'truncate']) as p
     where c.relnamespace = 'audit'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege('circle27_auth', c.oid, p) $$,
  'not even its owner can change a line');

select tests.create_member('ann');
select tests.act_as('ann');
select set_config('request.headers', '{"x-real-ip": "192.0.2.7", "x-forwarded-for": "10.0.0.1"}', true);
select set_config('role', 'circle27_owner', true);
select audit.record('test.done', 'stanford', tests.member('ann'), '2030-06-12 14:00+00', '{"k": 1}');
select throws_ok('select * from audit.log', '42501', null, 'app functions can''t read it');
reset role;
select results_eq(
  $$ select action, campus_id, user_id, time_slot, details, actor_id, address from audit.log $$,
  $$ values ('test.done', 'stanford', tests.member('ann'), '2030-06-12 14:00+00'::timestamptz, '{"k": 1}'::jsonb, tests.member('ann'), '192.0.2.7') $$,
  'who, what and from where, as the gateway saw it');
select is((select session_id from audit.log), auth.jwt() ->> 'session_id', 'in which session');
select cmp_ok((select abs(extract(epoch from at - clock_timestamp())) from audit.log), '<', 5.0, 'in real time');
set local role circle27_auth;
select throws_ok('update audit.log set action = action', '42501', null, 'no update');
select throws_ok('delete from audit.log', '42501', null, 'no delete');
select throws_ok('delete from audit.log_2026', '42501', null, 'not by a partition either');
reset role;
select is_empty('select from audit.log_default', 'today has a partition');

-- A trusted server's key may carry any text, or none, as sub.
select lives_ok(format(
  $$ select set_config('request.jwt.claims', %L, true), set_config('role', 'circle27_owner', true), audit.record('server.asked', 'stanford', p_details => jsonb_build_object('n', %s)) $$,
  claims, n), says)
from (values
  (1, '{"role": "service_role", "sub": "reporting-job"}', 'a sub that is no uuid is no error'),
  (2, '{"role": "service_role", "sub": {"id": "00000000-0000-4000-8000-000000000000"}}', 'nor is one that is no text'),
  (3, '{"role": "service_role"}', 'nor is none')
) as keys (n, claims, says);
reset role;
select results_eq(
  $$ select actor_id from audit.log where action = 'server.asked' $$, array[null, null, null]::uuid[], 'and each line names nobody');

select * from finish();
rollback;
