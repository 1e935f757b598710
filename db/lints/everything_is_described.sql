-- Every schema, table, view, sequence, function and column has a comment: the API's documentation is made of them.
select objects.oid::regclass::text as found
from pg_class as objects
inner join pg_namespace as schemas on schemas.oid = objects.relnamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and objects.relkind in ('r', 'p', 'v', 'S')
  and obj_description(objects.oid, 'pg_class') is null
union all
select functions.oid::regprocedure::text
from pg_proc as functions
inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and schemas.nspname <> 'gist'  -- an extension's
  and obj_description(functions.oid, 'pg_proc') is null
union all
select schemas.nspname::text
from pg_namespace as schemas
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and obj_description(schemas.oid, 'pg_namespace') is null
union all
select tables.oid::regclass || '.' || columns.attname
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
inner join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum > 0 and not columns.attisdropped
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and tables.relkind in ('r', 'p')
  and not tables.relispartition
  and col_description(tables.oid, columns.attnum) is null;
