-- Verify circle27:schemas on pg

begin;

select
  pg_catalog.has_schema_privilege('circle27_owner', 'api', 'create'),
  pg_catalog.has_schema_privilege('circle27_owner', 'app', 'create'),
  pg_catalog.has_schema_privilege('circle27_owner', 'events', 'create'),
  pg_catalog.has_schema_privilege('circle27_owner', 'ops', 'create'),
  pg_catalog.has_schema_privilege('circle27_auth', 'identity', 'create'),
  pg_catalog.has_schema_privilege('circle27_auth', 'audit', 'create');

rollback;
