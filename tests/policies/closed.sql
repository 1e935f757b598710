-- Tables that no member reads, and that all is written by functions: not even a trusted server writes a table.

begin;
select plan(20);

select is_empty(
  format('select p from unnest(array[%L, %L, %L, %L]) as p where has_any_column_privilege(%L, %L, p) or has_table_privilege(%L, %L, %L)',
    'select', 'insert', 'update', 'references', role, t, role, t, 'delete'), role || ' holds no right on ' || t)
from unnest(array['app.campuses', 'app.campus_domains', 'app.user_campuses', 'app.time_slots', 'events.outbox', 'audit.log']) as ts (t)
cross join unnest(array['anon', 'authenticated']) as roles (role);

-- One way in: what a function checks, tells and records can't be gone around.
create temporary view written as
select roles.rolname as role, c.oid::regclass as relation, privilege
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace and n.nspname in ('api', 'app', 'events', 'ops', 'identity', 'audit')
cross join pg_roles as roles
cross join unnest(array['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privileges (privilege)
where c.relkind in ('r', 'p', 'v', 'f')
  and roles.rolname in ('anon', 'authenticated', 'authenticator', 'service_role', 'circle27_worker', 'circle27_monitor')
  and (
    has_table_privilege(roles.oid, c.oid, privilege)
    or (privilege not in ('delete', 'truncate', 'trigger') and has_any_column_privilege(roles.oid, c.oid, privilege))
  );
select is_empty($$ select * from written where relation <> 'api.waitlist_entries'::regclass $$, 'no request, worker or monitor writes a table: each goes through a function');
select set_eq($$ select role::text, privilege from written $$,
  $$ select * from unnest(array['authenticated', 'service_role']) as r cross join unnest(array['insert', 'update', 'delete']) as p $$,
  'only the view of the lists is written to, and its trigger calls the functions');
select is_empty($$
  select c.oid::regclass from pg_class as c
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not has_table_privilege('service_role', c.oid, 'select')
$$, 'a trusted server reads every table of app');
select tests.create_member('ann');
select tests.act_as_role('service_role');
select is((select count(*) from app.users), 1::bigint, 'and every row of it');
select throws_ok($$ insert into app.campus_domains values ('x.edu', 'stanford') $$, '42501', null, 'but writes none');
select tests.act_as_nobody();
select table_privs_are('events', 'outbox', 'service_role', array[]::text[], 'the outbox is written by app.emit() only');
select table_privs_are('audit', 'log', 'service_role', array[]::text[], 'the trail is written by audit.record() only');
select table_privs_are('app', 'clock_offset', 'circle27_worker', array['SELECT'], 'the worker reads the clock, and no more');

select * from finish();
rollback;
