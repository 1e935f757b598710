-- Revert circle27:auth_shim from pg
--
-- Only what is ours goes: what circle27_owner owns.

begin;

set local role circle27_owner;

do $shim$
declare
  v_function regprocedure;
begin
  for v_function in
    select functions.oid::regprocedure
    from pg_catalog.pg_proc as functions
    where functions.pronamespace = to_regnamespace('auth')
      and functions.proowner = 'circle27_owner'::regrole
  loop
    execute format('drop function %s', v_function);
  end loop;

  if exists (select from pg_catalog.pg_namespace where nspname = 'auth' and nspowner = 'circle27_owner'::regrole) then
    drop schema auth;
  end if;
end;
$shim$;

commit;
