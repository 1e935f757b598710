-- What each role may do with each object: from the catalogue, so nothing can be forgotten. One row an object and role.
-- `rights` is a list such as {select,"update (name)"}; an owner who has all rights on an object has no row for it.
with roles as (
  select pg_roles.oid, pg_roles.rolname as role, names.number
  from unnest(%(roles)s::name[]) with ordinality as names (role, number)
  inner join pg_roles on pg_roles.rolname = names.role
),

schemas as (
  select oid, nspname, nspowner
  from pg_namespace
  where nspname = any(%(schemas)s::name[])
),

objects (kind, oid, name, owner, note, columns, partition_of) as (
  select '1 schema', oid, nspname::text, nspowner, null, '{}'::name[], null from schemas
  union all
  select
    case when relations.relkind = 'S' then '4 sequence' when relations.relkind in ('v', 'm') then '3 view' else '2 table' end,
    relations.oid, schemas.nspname || '.' || relations.relname, relations.relowner,
    case
      when relations.relkind in ('r', 'p') and relations.relrowsecurity then 'row security'
      when relations.reloptions @> '{security_invoker=true}' then 'rights and rows of who asks'
    end,
    array(
      select attname from pg_attribute
      where attrelid = relations.oid and attnum > 0 and not attisdropped order by attnum
    ),
    (select parts.inhparent::regclass::text from pg_inherits as parts where parts.inhrelid = relations.oid and relations.relispartition)
  from pg_class as relations
  inner join schemas on schemas.oid = relations.relnamespace
  where relations.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select
    '5 function', functions.oid,
    format('%%s.%%s(%%s)', schemas.nspname, functions.proname, pg_get_function_identity_arguments(functions.oid)),
    functions.proowner, case when functions.prosecdef then 'definer' end, '{}', null
  from pg_proc as functions
  inner join schemas on schemas.oid = functions.pronamespace
),

operations (kind, operation, number) as (
  values
  ('schema', 'usage', 1), ('schema', 'create', 2),
  ('table', 'select', 1), ('table', 'insert', 2), ('table', 'update', 3), ('table', 'delete', 4),
  ('table', 'truncate', 5), ('table', 'references', 6), ('table', 'trigger', 7),
  ('view', 'select', 1), ('view', 'insert', 2), ('view', 'update', 3), ('view', 'delete', 4),
  ('view', 'truncate', 5), ('view', 'references', 6), ('view', 'trigger', 7),
  ('sequence', 'usage', 1), ('sequence', 'select', 2), ('sequence', 'update', 3),
  ('function', 'execute', 1)
),

rights as (
  select
    objects.oid, roles.role, operations.number,
    case operations.kind
      when 'schema' then case when has_schema_privilege(roles.oid, objects.oid, operation) then operation end
      when 'sequence' then case when has_sequence_privilege(roles.oid, objects.oid, operation) then operation end
      when 'function' then case when has_function_privilege(roles.oid, objects.oid, operation) then operation end
      else case
        when has_table_privilege(roles.oid, objects.oid, operation) then operation
        when operation in ('select', 'insert', 'update', 'references')
          and has_any_column_privilege(roles.oid, objects.oid, operation)
          then operation || ' (' || array_to_string(array(
            select name from unnest(objects.columns) with ordinality as names (name, number)
            where has_column_privilege(roles.oid, objects.oid, name, operation) order by number
          ), ', ') || ')'
      end
    end as may
  from objects
  cross join roles
  inner join operations on operations.kind = substr(objects.kind, 3)
)

select
  substr(objects.kind, 3) as kind,
  objects.oid,
  objects.name,
  objects.note,
  objects.columns,
  objects.partition_of,
  roles.role,
  array_agg(rights.may order by rights.number) filter (where rights.may is not null) as rights
from objects
cross join roles
inner join rights on rights.oid = objects.oid and rights.role = roles.role
group by objects.kind, objects.oid, objects.name, objects.note, objects.columns, objects.partition_of, objects.owner, roles.oid, roles.role, roles.number
having objects.owner <> roles.oid or count(*) > count(rights.may)
order by objects.kind, objects.name collate "C", roles.number
