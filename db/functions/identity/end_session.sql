-- identity.end_session(p_session_id, p_action, p_now): the session is over, and so is its stream.
--
-- Its access tokens are refused from this commit on (app.pre_request). Ended before: nothing more happens.

create or replace function identity.end_session(p_session_id uuid, p_action text, p_now timestamptz)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session identity.sessions;
begin
  update identity.sessions
  set ended_at = p_now
  where sessions.session_id = p_session_id
    and sessions.ended_at is null
  returning *
  into v_session;

  if not found then
    return false;
  end if;

  perform app.emit_session_end(v_session.campus_id, v_session.session_id);
  perform audit.record(
    p_action, v_session.campus_id, v_session.user_id, null, jsonb_build_object('sessionId', p_session_id)
  );
  return true;
end;
$function$;

comment on function identity.end_session(uuid, text, timestamptz) is
'End a session, tell its stream, note it in the trail as p_action; whether it was not over yet.';

revoke all on function identity.end_session(uuid, text, timestamptz) from public;
