-- identity.begin_session(p_campus_id, p_user_id, p_now): sign a member in; returns the session.

create or replace function identity.begin_session(p_campus_id text, p_user_id uuid, p_now timestamptz)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session_id uuid := gen_random_uuid();
begin
  insert into identity.sessions (
    session_id, campus_id, user_id, created_at, renewed_at, expires_at, user_agent, address
  )
  select
    v_session_id, p_campus_id, p_user_id, p_now, p_now, p_now + settings.session_idle_life,
    identity.request_header('user-agent', 200), identity.request_header('x-real-ip', 64)
  from identity.settings;

  perform audit.record('session.begun', p_campus_id, p_user_id, null, jsonb_build_object('sessionId', v_session_id));
  return v_session_id;
end;
$function$;

comment on function identity.begin_session(text, uuid, timestamptz) is
'Sign a member in; returns the session.';

revoke all on function identity.begin_session(text, uuid, timestamptz) from public;
