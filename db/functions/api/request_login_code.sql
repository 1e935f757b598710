-- api.request_login_code(p_email): send a login code to this address.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.request_login_code(p_email text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  return identity.request_login_code(p_email, clock_timestamp());
end;
$function$;

comment on function api.request_login_code(text) is
'Ask for a login code by e-mail.

Gives {email, codeLivesSeconds, askAgainAt}. The campus follows from the domain; who is no member yet becomes one by signing in. Repeatable.
Refuses call_not_plain, email_invalid, email_domain_unknown, login_codes_exhausted.';

revoke all on function api.request_login_code(text) from public;
grant execute on function api.request_login_code(text) to anon, authenticated;
