-- api.open_stream(): authorise a stream of events. The gateway takes the connection over from here.
--
-- The answer is a header that only the gateway sees: which channels to hold the connection on. It is put together
-- from two uuids and a checked campus id, so nothing that a client can write gets into it.
--
-- The gateway says in headers which of its requests this is, and which of its processes holds it: with that the member is
-- online, until the gateway's log says that the request has ended. Who calls without them (the function as such, through
-- /rest/v1) opens no stream, and is not online.
--
-- Definer: reads the directory as its owner.

create or replace function api.open_stream()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id  text := app.current_campus_id();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  v_claims     jsonb := auth.jwt();
  v_session_id text := v_claims ->> 'session_id';
  v_headers    jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
begin
  if v_session_id is null or v_session_id !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
    perform app.refuse('session_missing');
  end if;

  if v_headers ? 'x-stream-id' then
    insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
    values (
      v_campus_id,
      v_headers ->> 'x-stream-id',
      auth.uid(),
      v_session_id::uuid,
      v_headers ->> 'x-stream-gateway',
      (v_headers ->> 'x-stream-process')::integer,
      to_timestamp(least((v_claims ->> 'exp')::double precision, 253370764800))
    )
    on conflict on constraint streams_pkey do nothing;  -- the gateway has asked again
    perform app.emit_presence(array[auth.uid()]);
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
