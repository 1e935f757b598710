-- api.ready(): whether this database can serve and write. The gateway's /ready asks it.
--
-- Enters a table on purpose: a database that answers `select 1` may still not know ours.
--
-- Definer: anyone may ask, nobody may read the tables.
--
-- requires: app.api_version

create or replace function api.ready()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return jsonb_build_object(
    'ready', not pg_is_in_recovery() and exists (select from app.clock_offset),
    'version', app.api_version()
  );
end;
$function$;

comment on function api.ready() is
'Whether this database can serve and write: {ready, version}.';

revoke all on function api.ready() from public;
grant execute on function api.ready() to anon, authenticated, service_role;
