-- api.refresh_session(p_refresh_token): new tokens for a session. Open to anon: the access token may have expired.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.refresh_session(p_refresh_token text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  return identity.refresh_session(p_refresh_token, clock_timestamp());
end;
$function$;

comment on function api.refresh_session(text) is
'New tokens for a session.

Gives what verify_login_code gives. The old refresh token is used up; one that comes back later ends the session.
Refuses call_not_plain, session_over, refresh_token_reused, login_unavailable, member_not_found.';

revoke all on function api.refresh_session(text) from public;
grant execute on function api.refresh_session(text) to anon, authenticated;
