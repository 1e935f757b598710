-- The trail: who, what, when, from where; written by one function, changed by nobody.

begin;
select plan(23);

select is_definer('audit', 'record', array['text', 'text', 'uuid', 'timestamp with time zone', 'jsonb', 'jsonb', 'jsonb'], 'app functions hold no right on the trail');
select function_privs_are('audit', 'record', array['text', 'text', 'uuid', 'timestamptz', 'jsonb', 'jsonb', 'jsonb'], 'circle27_owner', array['EXECUTE']);
select function_privs_are('audit', 'record', array['text', 'text', 'uuid', 'timestamptz', 'jsonb', 'jsonb', 'jsonb'], 'service_role', array[]::text[]);
select table_privs_are('audit', 'log', 'circle27_owner', array[]::text[]);
select is_empty(
  $$ select c.relname, p from pg_class as c cross join unnest(array['update', 'delete', 'truncate']) as p
     where c.relnamespace = 'audit'::regnamespace and c.relname like 'log%' and c.relkind in ('r', 'p') and has_table_privilege('circle27_auth', c.oid, p) $$,
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

-- The request's number, and what a value was and became.
select set_config('request.headers', jsonb_build_object('x-request-id', repeat('a', 70), 'x-real-ip', '192.0.2.7')::text, true);
select audit.record('profile.updated', 'stanford', tests.member('ann'), null, null, '{"displayName": "A"}', '{"displayName": "B"}');
select results_eq($$ select request_id from audit.log where action = 'profile.updated' $$, $$ values (repeat('a', 64)) $$, 'the request''s number, cut to what a number needs');
select results_eq($$ select id, at, user_id, old_values, new_values from audit.changes $$,
  $$ select id, at, user_id, '{"displayName": "A"}'::jsonb, '{"displayName": "B"}'::jsonb from audit.log where action = 'profile.updated' $$, 'personal values stand beside the trail');
select is((select details from audit.log where action = 'profile.updated'), null, 'and not in it, where they could not be erased');
select throws_ok($$ select audit.record('profile.updated', 'stanford', null, null, null, '{}', '{}') $$, '23502', null, 'values belong to somebody');
select throws_ok($$ select audit.record('profile.updated', 'stanford', tests.member('ann'), null, null, '{"a": 1}') $$, '23502', null, 'what it was goes with what it became');
select set_config('request.headers', '', true);
select audit.record('mail.expired', 'stanford');
select is((select request_id from audit.log where action = 'mail.expired'), null, 'a job has no request');

select * from finish();
rollback;
