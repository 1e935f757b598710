-- A stream ends with its token.

begin;
select plan(6);

select is_definer('events', 'end_expired_streams', 'the worker has no right on the tables');
select function_privs_are('events', 'end_expired_streams', array[]::text[], 'circle27_worker', array['EXECUTE']);
select function_privs_are('events', 'end_expired_streams', array[]::text[], 'authenticated', array[]::text[]);

select tests.create_member('ann');
insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
select 'stanford', md5(name), tests.member('ann'), session_id::uuid, 'here', 1, clock_timestamp() + lives
from (values
  ('one', '00000000-0000-4000-8000-000000000001', interval '-1 second'),
  ('two', '00000000-0000-4000-8000-000000000001', interval '-1 minute'),
  ('three', '00000000-0000-4000-8000-000000000002', interval '1 minute')
) as streams (name, session_id, lives);
delete from events.outbox;

set local role circle27_worker;
select is(events.end_expired_streams(), 1, 'one session''s streams have outlived their token');
reset role;
select results_eq(
  'select channel, event, payload from events.outbox',
  $$ values ('session:00000000-0000-4000-8000-000000000001', 'session', '{"over": false}'::jsonb) $$,
  'it is told once; the session itself goes on');
select results_eq('select stream_id from events.streams', array[md5('three')], 'the others stay');

select * from finish();
rollback;
