-- api.verify_login_code(p_email, p_code): sign in.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.verify_login_code(p_email text, p_code text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  return identity.verify_login_code(p_email, p_code, clock_timestamp());
end;
$function$;

comment on function api.verify_login_code(text, text) is
'Sign in with the code that came by e-mail.

Gives {accessToken, tokenType, expiresIn, expiresAt, refreshToken, sessionId, userId, campusId, timeZone}. Repeatable for ten seconds.
Refuses call_not_plain, login_code_wrong, email_domain_unknown, login_unavailable.';

revoke all on function api.verify_login_code(text, text) from public;
grant execute on function api.verify_login_code(text, text) to anon, authenticated;
