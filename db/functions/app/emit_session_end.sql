-- app.emit_session_end(p_campus_id, p_session_id): tell a session's stream that the session is over.
--
-- Definer: identity functions run as circle27_auth, which writes to no outbox.

create or replace function app.emit_session_end(p_campus_id text, p_session_id uuid)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.emit(p_campus_id, 'session:' || p_session_id, 'session', jsonb_build_object('over', true));
end;
$function$;

comment on function app.emit_session_end(text, uuid) is
'Tell a session''s stream that the session is over.';

revoke all on function app.emit_session_end(text, uuid) from public;
grant execute on function app.emit_session_end(text, uuid) to circle27_auth;
