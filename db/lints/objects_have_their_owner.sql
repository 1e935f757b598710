-- identity and audit belong to circle27_auth with all that is in them, every other schema to circle27_owner.
--
-- A function owned by anybody else would, as a definer, run with that one's rights.
with owned (found, schema_name, owner) as (
  select nspname::text, nspname, nspowner from pg_namespace
  union all
  select relations.oid::regclass::text, schemas.nspname, relations.relowner
  from pg_class as relations
  inner join pg_namespace as schemas on schemas.oid = relations.relnamespace
  union all
  select functions.oid::regprocedure::text, schemas.nspname, functions.proowner
  from pg_proc as functions
  inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
)

select found
from owned
where schema_name in ('api', 'app', 'audit', 'events', 'identity', 'ops')
  and pg_get_userbyid(owner) <> case
    when schema_name in ('identity', 'audit') then 'circle27_auth' else 'circle27_owner'
  end;
