-- identity.refresh_session(p_refresh_token, p_now): new tokens for a session; the old refresh token is used up.
--
-- An old token that comes back means that two parties hold the session: it ends for both. Only the one before the newest may
-- come again, for 10 seconds: an answer got lost, or two tabs refreshed at once. It gets what the first one got.
-- A token that was never given out proves nothing, and ends nothing.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.refresh_session(p_refresh_token text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_repeat constant interval := interval '10 seconds';

  v_parts      text[] := regexp_match(
    p_refresh_token, '^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})$'
  );
  v_generation integer := v_parts[2]::integer;
  v_settings   identity.settings := (select settings from identity.settings);
  v_session    identity.sessions;
begin
  if v_parts is null
    or identity.base64url(identity.secret_hash('refresh:' || v_parts[1] || '.' || v_parts[2]))
    is distinct from v_parts[3]
  then
    return app.denial('session_over');
  end if;

  select *
  into v_session
  from identity.sessions
  where sessions.session_id = v_parts[1]::uuid
  for update;

  -- Less than a second before its end there is no token that short. (Its life may have been made shorter meanwhile.)
  if v_session.session_id is null
    or v_session.ended_at is not null
    or least(v_session.expires_at, v_session.created_at + v_settings.session_life) < p_now + interval '1 second'
  then
    return app.denial('session_over');
  end if;

  if v_generation = v_session.generation then
    update identity.sessions
    set generation = generation + 1,
      renewed_at = greatest(p_now, renewed_at),  -- the server's clock may have been set back
      expires_at = least(p_now + v_settings.session_idle_life, created_at + v_settings.session_life),
      user_agent = coalesce(identity.request_header('user-agent', 200), user_agent),
      address = coalesce(identity.request_header('x-real-ip', 64), address)
    where sessions.session_id = v_session.session_id;
  elsif v_generation <> v_session.generation - 1 or v_session.renewed_at <= p_now - v_repeat then
    perform identity.end_session(v_session.session_id, 'session.reused', p_now);
    return app.denial('refresh_token_reused');
  end if;

  return identity.session_tokens(v_session.session_id, p_now);
end;
$function$;

comment on function identity.refresh_session(text, timestamptz) is
'New tokens for a session, as identity.session_tokens(), or the denials session_over, refresh_token_reused. Refuses login_unavailable, member_not_found.';

revoke all on function identity.refresh_session(text, timestamptz) from public;
grant execute on function identity.refresh_session(text, timestamptz) to circle27_owner;
