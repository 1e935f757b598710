-- The tables with their columns, constraints, indexes, rights and policies. Partitions are their parent's.
select
  tables.oid::regclass::text as name,
  obj_description(tables.oid, 'pg_class') as comment,
  pg_get_partkeydef(tables.oid) as partitioned_by,
  tables.relowner::regrole::text as owner,
  (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'name', columns.attname,
          'type', format_type(columns.atttypid, columns.atttypmod),
          'is_nullable', not columns.attnotnull,
          'default', pg_get_expr(defaults.adbin, defaults.adrelid, true),
          'comment', col_description(tables.oid, columns.attnum)
        )
        order by columns.attnum
      ),
      '[]'
    )
    from pg_attribute as columns
    left join pg_attrdef as defaults
      on defaults.adrelid = columns.attrelid
      and defaults.adnum = columns.attnum
    where columns.attrelid = tables.oid
      and columns.attnum > 0
      and not columns.attisdropped
  ) as columns,
  (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'name', constraints.conname,
          'kind', constraints.contype,
          'definition', pg_get_constraintdef(constraints.oid, true),
          'columns', array(
            select columns.attname
            from unnest(constraints.conkey) with ordinality as keys (number, place)
            inner join pg_attribute as columns
              on columns.attrelid = tables.oid
              and columns.attnum = keys.number
            order by keys.place
          ),
          'refers_to', nullif(constraints.confrelid, 0)::regclass::text,
          'on_delete', constraints.confdeltype
        )
        order by strpos('pufcx', constraints.contype::text), constraints.conname
      ),
      '[]'
    )
    from pg_constraint as constraints
    where constraints.conrelid = tables.oid
      and constraints.contype in ('p', 'u', 'f', 'c', 'x')
  ) as constraints,
  (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'name', classes.relname,
          'definition', regexp_replace(pg_get_indexdef(classes.oid, 0, true), '^.* USING ', ''),
          'comment', obj_description(classes.oid, 'pg_class')
        )
        order by classes.relname
      ),
      '[]'
    )
    from pg_index
    inner join pg_class as classes on classes.oid = pg_index.indexrelid
    where pg_index.indrelid = tables.oid
      and not exists (select from pg_constraint where pg_constraint.conindid = classes.oid and contype in ('p', 'u', 'x'))
  ) as indexes,
  -- Columns null: the whole table.
  (
    select coalesce(jsonb_agg(to_jsonb(grants) order by grants.role, grants.privilege), '[]')
    from (
      select acl.grantee::regrole::text as role, lower(acl.privilege_type) as privilege, null::text[] as columns
      from aclexplode(tables.relacl) as acl
      where acl.grantee not in (0, tables.relowner)
      union all
      select acl.grantee::regrole::text, lower(acl.privilege_type), array_agg(columns.attname::text order by columns.attnum)
      from pg_attribute as columns
      cross join lateral aclexplode(columns.attacl) as acl
      where columns.attrelid = tables.oid
        and acl.grantee not in (0, tables.relowner)
      group by acl.grantee, acl.privilege_type
    ) as grants
  ) as grants,
  (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'name', policies.polname,
          'role', array_to_string(policies.polroles::regrole[], ', '),
          'command', policies.polcmd,
          'definition', pg_get_expr(coalesce(policies.polqual, policies.polwithcheck), policies.polrelid, true),
          'comment', obj_description(policies.oid, 'pg_policy')
        )
        order by policies.polname
      ),
      '[]'
    )
    from pg_policy as policies
    where policies.polrelid = tables.oid
  ) as policies
from pg_class as tables
where tables.relnamespace::regnamespace::text in ('app', 'audit', 'events', 'identity', 'ops')
  and tables.relkind in ('r', 'p')
  and not tables.relispartition
order by tables.relnamespace::regnamespace::text, tables.relname
