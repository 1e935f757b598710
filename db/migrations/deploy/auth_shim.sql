-- Deploy circle27:auth_shim to pg
--
-- Supabase's three functions with Supabase's meaning, made only where the database lacks them, so that the
-- same migrations run on a Supabase project. The legacy settings (request.jwt.claim.sub) are read first, as there.
--
-- They stay plain, inlinable SQL: policies and hot functions call them for every request.

begin;

set local role circle27_owner;

do $shim$
begin
  if to_regnamespace('auth') is null then
    create schema auth;
    comment on schema auth is 'Circle27: who is calling, with the meaning of Supabase.';
    grant usage on schema auth to anon, authenticated, service_role, circle27_auth;
  end if;

  if to_regprocedure('auth.uid()') is null then
    create function auth.uid()
    returns uuid
    language sql
    stable
    parallel safe
    as $function$
      select coalesce(
        nullif(pg_catalog.current_setting('request.jwt.claim.sub', true), ''),
        nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'sub'
      )::pg_catalog.uuid
    $function$;
    comment on function auth.uid() is 'Circle27: the member that the token names, or null.';
    revoke all on function auth.uid() from public;
    grant execute on function auth.uid() to anon, authenticated, service_role, circle27_auth;
  end if;

  if to_regprocedure('auth.role()') is null then
    create function auth.role()
    returns text
    language sql
    stable
    parallel safe
    as $function$
      select coalesce(
        nullif(pg_catalog.current_setting('request.jwt.claim.role', true), ''),
        nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'role'
      )
    $function$;
    comment on function auth.role() is 'Circle27: the role that the token names, or null.';
    revoke all on function auth.role() from public;
    grant execute on function auth.role() to anon, authenticated, service_role, circle27_auth;
  end if;

  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt()
    returns jsonb
    language sql
    stable
    parallel safe
    as $function$
      select coalesce(
        nullif(pg_catalog.current_setting('request.jwt.claim', true), ''),
        nullif(pg_catalog.current_setting('request.jwt.claims', true), '')
      )::pg_catalog.jsonb
    $function$;
    comment on function auth.jwt() is 'Circle27: all claims of the token, or null.';
    revoke all on function auth.jwt() from public;
    grant execute on function auth.jwt() to anon, authenticated, service_role, circle27_auth;
  end if;
end;
$shim$;

commit;
