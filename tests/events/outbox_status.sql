-- How far telling is behind, for the monitor.

begin;
select plan(5);

select is_definer('events', 'outbox_status', 'the monitor has no right on the tables');
select function_privs_are('events', 'outbox_status', array[]::text[], 'circle27_monitor', array['EXECUTE']);
select function_privs_are('events', 'outbox_status', array[]::text[], 'authenticated', array[]::text[]);

delete from events.outbox;
set local role circle27_monitor;
select is(events.outbox_status(), '{"waiting": 0, "lagSeconds": 0, "streams": 0}', 'nothing waits');
reset role;
select app.emit('stanford', 'campus:stanford', 'slot', '{}') from generate_series(1, 3);
update events.outbox set emitted_at = clock_timestamp() - interval '90 seconds' where id = (select min(id) from events.outbox);
set local role circle27_monitor;
select results_eq(
  $$ select (status ->> 'waiting')::int, round((status ->> 'lagSeconds')::numeric) from events.outbox_status() as status $$,
  $$ values (3, 90::numeric) $$, 'three wait, the oldest for a minute and a half');
reset role;

select * from finish();
rollback;
