-- api.ready(): whether this database can serve and write. The gateway's /ready asks it.
--
-- Enters a table on purpose: a database that answers `select 1` may still not know ours. Where it can't, it refuses
-- with 503, so that whoever asks sees it in the status and need not read the answer.
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
  if pg_is_in_recovery() or not exists (select from app.clock_offset) then
    perform app.refuse('not_ready');
  end if;

  return jsonb_build_object('ready', true, 'version', app.api_version());
end;
$function$;

comment on function api.ready() is
'Whether this database can serve and write.

Gives {ready, version}.
Refuses not_ready.';

revoke all on function api.ready() from public;
grant execute on function api.ready() to anon, authenticated, service_role;
