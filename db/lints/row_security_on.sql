-- Row level security is on for every table.
--
-- A table without it is open to whoever is granted a right on it later. Enable it in the migration that makes the table:
-- deny is then the default, and each policy a decision.
select tables.oid::regclass::text as found
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and tables.relkind in ('r', 'p')
  and not tables.relrowsecurity;
