-- No function is open to everyone.
--
-- PostgreSQL lets PUBLIC call every new function. Revoke that in the file of the function, and grant by name.
select functions.oid::regprocedure::text as found
from pg_proc as functions
inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
cross join aclexplode(coalesce(functions.proacl, acldefault('f', functions.proowner))) as rights
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and schemas.nspname <> 'gist'  -- an extension's, and closed itself
  and rights.grantee = 0;
