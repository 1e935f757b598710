-- campus_id is a text and never null, but for the trail, which also tells of what concerns all.
select tables.oid::regclass::text as found
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
inner join pg_attribute as columns on columns.attrelid = tables.oid and columns.attname = 'campus_id'
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and tables.relkind in ('r', 'p')
  and (columns.atttypid <> 'text'::regtype or not columns.attnotnull and schemas.nspname <> 'audit');
