-- The trail is added to, and in no other way written: not by a request, not by the app's owner, not by its own.

begin;
select plan(24);

select audit.record('slots.opened', 'stanford');
create temporary table relations as
select c.oid::regclass::text as name from pg_class as c where c.oid = 'audit.log'::regclass
union all
select inhrelid::regclass::text from pg_inherits where inhparent = 'audit.log'::regclass;

select is_empty(format($f$
  select name, privilege from relations cross join unnest(array['update', 'delete', 'truncate']) as p (privilege)
  where has_table_privilege(%L, name, privilege)
$f$, role), role || ' changes and deletes no line, of no partition')
from unnest(array[
  'anon', 'authenticated', 'service_role', 'authenticator', 'circle27_owner', 'circle27_auth', 'circle27_migrator',
  'circle27_worker', 'circle27_monitor'
]) as roles (role);
select is_empty(format($f$
  select name from relations where has_table_privilege(%L, name, 'select, insert')
$f$, role), role || ' reads and adds through functions only')
from unnest(array['anon', 'authenticated', 'service_role', 'circle27_owner', 'circle27_worker', 'circle27_monitor']) as roles (role);

set local role circle27_auth;
select throws_ok(statement, '42501', null, statement || ': refused to its owner, too')
from unnest(array[
  'update audit.log set action = ''slots.closed''', 'delete from audit.log', 'truncate audit.log',
  'delete from audit.log_2026', 'update audit.log_default set action = ''a.b''',
  'update audit.changes set new_values = ''{}''', 'truncate audit.changes'
]) as statements (statement);
reset role;
set local role circle27_owner;
select throws_ok('insert into audit.log (action, actor_role) values (''user.deleted'', ''postgres'')', '42501', null, 'a fault in the app invents no line');
select throws_ok('select * from audit.log', '42501', null, 'nor reads one');

select * from finish();
rollback;
