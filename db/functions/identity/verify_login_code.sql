-- identity.verify_login_code(p_email, p_code, p_now): sign in with the code that came by e-mail.
--
-- One refusal for a code that is wrong, too old, used up, or was never asked for: it tells nothing about the address.
-- A wrong try is counted and survives its refusal. A hundred tries at once wait for each other at the row, so there are
-- never more than the code has.
--
-- Repeatable: who sends the right code again within 10 seconds (the answer got lost) gets the tokens of the same session.
-- Wrong tries count in these seconds, too: else a code that was just used could be guessed without end.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.verify_login_code(p_email text, p_code text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_repeat constant interval := interval '10 seconds';

  v_email     text := lower(btrim(p_email));
  v_hash      bytea := identity.secret_hash('code:' || v_email || ':' || btrim(p_code));
  v_request   identity.login_codes;
  v_campus_id text;
  v_member    record;
begin
  select *
  into v_request
  from identity.login_codes
  where login_codes.email = v_email
  for update;

  if v_request.code_hash is null
    or v_request.tries_left = 0
    or (v_request.used_at is null and v_request.code_expires_at <= p_now)
    or v_request.used_at <= p_now - v_repeat
  then
    return app.denial('login_code_wrong');
  end if;

  -- Before anything is written: a campus may have given its domain up, and that refusal rolls back.
  v_campus_id := app.email_campus(v_email);  -- refuses email_domain_unknown

  if v_hash is distinct from v_request.code_hash then
    update identity.login_codes
    set tries_left = tries_left - 1
    where login_codes.email = v_email;

    perform audit.record(
      'login.denied', v_campus_id, null, null, jsonb_build_object('triesLeft', v_request.tries_left - 1)
    );
    return app.denial('login_code_wrong');
  end if;

  if v_request.used_at is not null then
    if exists (
      select
      from identity.sessions
      where sessions.session_id = v_request.session_id
        and sessions.generation = 0
        and sessions.ended_at is null
    ) then
      return identity.session_tokens(v_request.session_id, p_now);
    end if;
    return app.denial('login_code_wrong');
  end if;

  select *
  into strict v_member
  from app.register_user(v_email);

  v_request.session_id := identity.begin_session(v_member.campus_id, v_member.user_id, p_now);
  update identity.login_codes
  set used_at = p_now,
    session_id = v_request.session_id
  where login_codes.email = v_email;

  return identity.session_tokens(v_request.session_id, p_now);
end;
$function$;

comment on function identity.verify_login_code(text, text, timestamptz) is
'Sign in with the code that came by e-mail: as identity.session_tokens(), or the denial login_code_wrong. Refuses email_domain_unknown, login_unavailable.';

revoke all on function identity.verify_login_code(text, text, timestamptz) from public;
grant execute on function identity.verify_login_code(text, text, timestamptz) to circle27_owner;
