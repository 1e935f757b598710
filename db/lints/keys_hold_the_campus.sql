-- campus_id is in every primary key, unique constraint and foreign key of a tenant's table.
--
-- So that every table can be distributed by it. What is not a tenant's is listed.
select indexes.indexrelid::regclass::text as found
from pg_index as indexes
inner join pg_class as tables on tables.oid = indexes.indrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and indexes.indisunique
  and not tables.relispartition
  and schemas.nspname || '.' || tables.relname <> all(array[
    'app.clock_offset', 'app.campus_domains', 'app.user_campuses', 'audit.log', 'audit.changes', 'ops.buckets',
    'events.gateways'
  ])
  -- Looked up by a token or an address, before the campus is known.
  and schemas.nspname <> 'identity'
  and not exists (
    select
    from pg_attribute as columns
    where columns.attrelid = tables.oid
      and columns.attnum = any(indexes.indkey)
      and columns.attname = 'campus_id'
  )
union all
select keys.conrelid::regclass || ' ' || keys.conname
from pg_constraint as keys
inner join pg_namespace as schemas on schemas.oid = keys.connamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and keys.contype = 'f'
  and not exists (
    select
    from pg_attribute as columns
    where columns.attrelid = keys.conrelid
      and columns.attnum = any(keys.conkey)
      and columns.attname = 'campus_id'
  );
