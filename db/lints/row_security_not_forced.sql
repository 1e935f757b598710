-- Row level security is forced on no table.
--
-- Definers run as the owner and hold the rules themselves. Forced, the policies of members would bind the owner, and a
-- matching would see no row.
select tables.oid::regclass::text as found
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and tables.relkind in ('r', 'p')
  and tables.relforcerowsecurity;
