-- Tables that no member reads, and tables that not even a trusted server writes.

begin;
select plan(15);

select is_empty(
  format('select p from unnest(array[%L, %L, %L, %L]) as p where has_any_column_privilege(%L, %L, p) or has_table_privilege(%L, %L, %L)',
    'select', 'insert', 'update', 'references', role, t, role, t, 'delete'), role || ' holds no right on ' || t)
from unnest(array['app.campuses', 'app.campus_domains', 'app.user_campuses', 'app.time_slots', 'events.outbox', 'audit.log']) as ts (t)
cross join unnest(array['anon', 'authenticated']) as roles (role);
select table_privs_are('events', 'outbox', 'service_role', array[]::text[], 'the outbox is written by app.emit() only');
select table_privs_are('audit', 'log', 'service_role', array[]::text[], 'the trail is written by audit.record() only');
select table_privs_are('app', 'clock_offset', 'circle27_worker', array['SELECT'], 'the worker reads the clock, and no more');

select * from finish();
rollback;
