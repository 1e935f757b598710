-- identity.session_tokens(p_session_id, p_now): the tokens of a session as it is now.
--
-- A refresh token is <session>.<generation>.<HMAC of both>. So nothing of it is stored, none can be invented, an old
-- one is known as an old one, and to make the same one again (an answer got lost) takes no memory.
-- No access token outlives its session.

create or replace function identity.session_tokens(p_session_id uuid, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session identity.sessions;
  v_life    interval;
  v_claims  jsonb;
  v_refresh text;
begin
  select *
  into strict v_session
  from identity.sessions
  where sessions.session_id = p_session_id;

  v_life := least((select settings.access_token_life from identity.settings), v_session.expires_at - p_now);
  v_claims := identity.token_claims(v_session.user_id, v_life, v_session.session_id, p_now);
  v_refresh := v_session.session_id || '.' || v_session.generation;

  return jsonb_build_object(
    'accessToken', identity.sign_token(v_claims),
    'tokenType', 'bearer',
    'expiresIn', (v_claims ->> 'exp')::bigint - (v_claims ->> 'iat')::bigint,
    'expiresAt', to_timestamp((v_claims ->> 'exp')::bigint),
    'refreshToken', v_refresh || '.' || identity.base64url(identity.secret_hash('refresh:' || v_refresh)),
    'sessionId', v_session.session_id,
    'userId', v_session.user_id,
    'campusId', v_session.campus_id,
    'timeZone', v_claims ->> 'tz'
  );
end;
$function$;

comment on function identity.session_tokens(uuid, timestamptz) is
'{accessToken, tokenType, expiresIn, expiresAt, refreshToken, sessionId, userId, campusId, timeZone}. Refuses login_unavailable, member_not_found.';

revoke all on function identity.session_tokens(uuid, timestamptz) from public;
