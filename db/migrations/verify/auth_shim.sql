-- Verify circle27:auth_shim on pg

begin;

select
  pg_catalog.has_function_privilege('authenticated', 'auth.uid()', 'execute'),
  pg_catalog.has_function_privilege('authenticated', 'auth.role()', 'execute'),
  pg_catalog.has_function_privilege('authenticated', 'auth.jwt()', 'execute');

rollback;
