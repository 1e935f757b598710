-- No role that logs in or that a request runs as makes schemas, temporary objects, or anything in a schema.
--
-- Whoever may make a temporary domain or a function can shadow a name that careless code relies on.
select roles.role || ': ' || privileges.privilege as found
from unnest(array[
    'anon', 'authenticated', 'service_role', 'authenticator', 'circle27_worker', 'circle27_monitor'
  ]) as roles (role)
cross join unnest(array['create', 'temporary']) as privileges (privilege)
where has_database_privilege(roles.role, current_database(), privileges.privilege)
union all
select roles.role || ': create in ' || schemas.nspname
from unnest(array[
    'anon', 'authenticated', 'service_role', 'authenticator', 'circle27_worker', 'circle27_monitor'
  ]) as roles (role)
cross join pg_namespace as schemas
where has_schema_privilege(roles.role, schemas.oid, 'create');
