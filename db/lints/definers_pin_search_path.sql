-- Every definer pins `set search_path = pg_catalog, pg_temp`.
--
-- Without it the caller's path decides which table, operator or type a name means, and the caller's code runs as the
-- owner. An empty path is not enough: pg_temp is then searched first for types.
select functions.oid::regprocedure::text as found
from pg_proc as functions
inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and functions.prosecdef
  and not coalesce(functions.proconfig @> array['search_path=pg_catalog, pg_temp'], false);
