-- Every constraint is named <table>_<what>, so that an error names the place.
select constraints.conrelid::regclass || ' ' || constraints.conname as found
from pg_constraint as constraints
inner join pg_class as tables on tables.oid = constraints.conrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and not tables.relispartition
  and not starts_with(constraints.conname, tables.relname || '_');
