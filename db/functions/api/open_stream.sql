-- api.open_stream(): authorise a stream of events. The gateway takes the connection over from here.
--
-- The answer is a header that only the gateway sees: which channels to hold the connection on. It is put together
-- from two uuids and a checked campus id, so nothing that a client can write gets into it.
--
-- VOLATILE: opening a stream will mark the member online. Definer: reads the directory as its owner.

create or replace function api.open_stream()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id  text := app.current_campus_id();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  v_session_id text := auth.jwt() ->> 'session_id';
begin
  if v_session_id is null or v_session_id !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
    perform app.refuse('session_missing');
  end if;

  perform set_config(
    'response.headers',
    format(
      '[{"X-Accel-Redirect": "/_stream/session:%s,user:%s,campus:%s"}]',
      v_session_id::uuid, auth.uid(), v_campus_id
    ),
    true
  );
end;
$function$;

comment on function api.open_stream() is
'Authorise a stream of events on the member''s channels.

The gateway calls it, at /realtime/v1/stream.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, session_missing.';

revoke all on function api.open_stream() from public;
grant execute on function api.open_stream() to authenticated;
