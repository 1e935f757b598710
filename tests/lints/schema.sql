-- Rules for the whole schema: each names what breaks it.

begin;
select plan(23);

create temporary view ours as
select oid, nspname from pg_namespace where nspname in ('api', 'app', 'events', 'ops', 'identity', 'audit');

select is_empty($$
  select c.oid::regclass from pg_class as c inner join ours on ours.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relrowsecurity
$$, 'row level security is on for every table');

select is_empty($$
  select c.oid::regclass from pg_class as c inner join ours on ours.oid = c.relnamespace
  where c.relkind in ('r', 'p') and c.relforcerowsecurity
$$, 'and forced on none: definers hold the rules');

select is_empty($$
  select p.oid::regprocedure from pg_proc as p inner join ours on ours.oid = p.pronamespace
  cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
  where acl.grantee = 0
$$, 'no function is open to everyone');

select is_empty($$
  select p.oid::regprocedure from pg_proc as p inner join ours on ours.oid = p.pronamespace
  where p.prosecdef and not coalesce(p.proconfig @> array['search_path=pg_catalog, pg_temp'], false)
$$, 'every definer pins search_path');

select is_empty($$
  select p.oid::regprocedure from pg_proc as p inner join ours on ours.oid = p.pronamespace
  where ours.nspname = 'api' and not p.prosecdef
$$, 'every api function says that it is a definer');

select is_empty($$
  select o.oid::regclass::text from pg_class as o inner join ours on ours.oid = o.relnamespace
  where o.relkind in ('r', 'p', 'v', 'S') and obj_description(o.oid, 'pg_class') is null
  union all
  select o.oid::regprocedure::text from pg_proc as o inner join ours on ours.oid = o.pronamespace
  where obj_description(o.oid, 'pg_proc') is null
  union all
  select ours.nspname from ours where obj_description(ours.oid, 'pg_namespace') is null
$$, 'every schema, table, sequence and function has a comment');

select is_empty($$
  select c.oid::regclass, a.attname from pg_class as c inner join ours on ours.oid = c.relnamespace
  inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and col_description(c.oid, a.attnum) is null
$$, 'and every column');

select is_empty($$
  select p.proname || coalesce(': ' || a.arg, '') from pg_proc as p inner join ours on ours.oid = p.pronamespace
  left join lateral unnest(p.proargnames, coalesce(p.proargmodes, array_fill('i'::"char", array[coalesce(cardinality(p.proargnames), 0)]))) as a (arg, mode) on a.mode = 'i'
  where a.arg !~ '^p_' or (p.pronargs > 0 and p.proargnames is null)
$$, 'every parameter is called p_...');

select is_empty($$
  select c.conrelid::regclass, c.conname from pg_constraint as c inner join ours on ours.oid = c.connamespace
  inner join pg_class as t on t.oid = c.conrelid
  where not t.relispartition and not starts_with(c.conname, t.relname || '_')
$$, 'every constraint carries its table''s name');

-- campus_id in every key; what is not a tenant's is listed.
create temporary view tenants as
select c.oid, c.relname from pg_class as c inner join ours on ours.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition
  and c.oid::regclass::text not in ('app.clock_offset', 'app.campus_domains', 'app.user_campuses', 'audit.log');

select is_empty($$
  select i.indexrelid::regclass from pg_index as i inner join tenants on tenants.oid = i.indrelid
  where i.indisunique and not exists (
    select from pg_attribute as a where a.attrelid = i.indrelid and a.attnum = any (i.indkey) and a.attname = 'campus_id')
$$, 'campus_id is in every key of a tenant''s table');

select is_empty($$
  select c.conrelid::regclass, c.conname from pg_constraint as c inner join ours on ours.oid = c.connamespace
  where c.contype = 'f' and not exists (
    select from pg_attribute as a where a.attrelid = c.conrelid and a.attnum = any (c.conkey) and a.attname = 'campus_id')
$$, 'and in every foreign key');

select is_empty($$
  select c.conrelid::regclass, c.conname from pg_constraint as c inner join ours on ours.oid = c.connamespace
  where c.contype = 'f' and (c.confdeltype in ('n', 'd') or c.confupdtype <> 'a')
$$, 'no foreign key sets null or cascades updates');

select is_empty($$
  select i.indexrelid::regclass from pg_index as i inner join pg_class as c on c.oid = i.indrelid
  inner join ours on ours.oid = c.relnamespace
  where not i.indisprimary and array(
    select a.attname from unnest(i.indkey::int2[]) with ordinality as keys (attnum, number)
    inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = keys.attnum
    where keys.number <= 2 order by keys.number
  ) = array['campus_id', 'time_slot']::name[]
$$, 'only a primary key begins with campus_id, time_slot: its twin would read whole slots where there are no statistics');

select is_empty($$
  select c.oid::regclass from pg_class as c inner join ours on ours.oid = c.relnamespace
  inner join pg_attribute as a on a.attrelid = c.oid and a.attname = 'campus_id' and c.relkind in ('r', 'p')
  where a.atttypid <> 'text'::regtype
    or not (a.attnotnull or c.oid::regclass::text like 'audit.log%')
$$, 'campus_id is a text and never null');

select is_empty($$
  select c.oid::regclass, pg_get_userbyid(c.relowner) from pg_class as c inner join ours on ours.oid = c.relnamespace
  where pg_get_userbyid(c.relowner) <> case when ours.nspname in ('identity', 'audit') then 'circle27_auth' else 'circle27_owner' end
  union all
  select p.oid, pg_get_userbyid(p.proowner) from pg_proc as p inner join ours on ours.oid = p.pronamespace
  where pg_get_userbyid(p.proowner) <> case when ours.nspname in ('identity', 'audit') then 'circle27_auth' else 'circle27_owner' end
$$, 'everything has its owner');

select is_empty($$
  select polrelid::regclass, polname from pg_policy where polroles = '{0}' or polcmd = '*'
$$, 'every policy names its role and its one command');

select is_empty($$
  select role, privilege
  from unnest(array['anon', 'authenticated', 'service_role', 'authenticator', 'circle27_worker']) as roles (role)
  cross join unnest(array['create', 'temporary']) as privileges (privilege)
  where has_database_privilege(role, current_database(), privilege)
$$, 'no role of a request makes schemas or temporary objects');

-- Who may call what: the whole list. A function that is not in it is called by its owner's functions only.
create temporary table may_call (role name, functions text[]);
insert into may_call values
  ('anon', array[
    'api.ready', 'api.time_slots',
    'app.error_registry', 'app.pre_request', 'app.refuse'
  ]),
  ('authenticated', array[
    'api.block_user', 'api.cancel_time_slot', 'api.get_button_state', 'api.get_button_states', 'api.join_waitlist',
    'api.leave_waitlist', 'api.my_circle', 'api.my_profile', 'api.open_stream', 'api.ready', 'api.submit_feedback',
    'api.time_slots', 'api.unblock_user', 'api.update_profile',
    'app.error_registry', 'app.member_time_zone', 'app.my_mates', 'app.my_places', 'app.pre_request', 'app.refuse'
  ]),
  ('service_role', array[
    'api.cancel_time_slot', 'api.get_button_state', 'api.match_time_slot', 'api.ready', 'api.run_due_deadlines',
    'api.set_clock_offset', 'api.time_slots',
    'app.clock', 'app.error_registry', 'app.pre_request', 'app.refuse'
  ]),
  ('circle27_worker', array['app.clock', 'app.open_time_slots', 'app.run_due_deadlines', 'events.take']),
  ('circle27_monitor', array[]::text[]),
  ('authenticator', array[]::text[]);

select is(
  array(
    select p.oid::regproc::text collate "C" from pg_proc as p inner join ours on ours.oid = p.pronamespace
    where has_function_privilege(may_call.role, p.oid, 'execute') order by 1
  ),
  may_call.functions,
  may_call.role || ' may call these and no other'
)
from may_call;

select * from finish();
rollback;
