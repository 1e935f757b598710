-- identity.request_login_code(p_email, p_now): ask for a login code by e-mail.
--
-- The answer and the work are the same whether or not a member has the address: who signs in for the first time
-- becomes one. The code itself is made when the mail is taken (identity.take_mails): no table ever holds it, and a
-- mail server that was away for an hour still delivers one that counts.
--
-- Strict by address: 5 at once and 5 an hour, one mail in 30 seconds. To ask again earlier is no error: the
-- answer is the same, and says for how long that mail is the last.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.request_login_code(p_email text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_most      constant numeric := 5;
  v_each      constant interval := interval '12 minutes';
  v_pause     constant interval := interval '30 seconds';
  v_mail_life constant interval := interval '24 hours';

  v_email     text := lower(btrim(p_email));
  v_campus_id text := app.email_campus(v_email);  -- refuses email_invalid, email_domain_unknown
  v_request   identity.login_codes;
  v_allowance numeric;
  v_code_life interval := (select settings.code_life from identity.settings);
begin
  -- The mail before the code, as in identity.take_mails(): who asks and who sends never wait for each other in a circle.
  perform
  from identity.mails
  where mails.recipient = v_email
    and mails.kind = 'login_code'
  for update;

  -- Its own first request is due at once. A row that is there is only locked: identity.forget_old() can't take it away.
  insert into identity.login_codes (email, requested_at, allowance)
  values (v_email, p_now - v_pause, v_most)
  on conflict (email) do update
  set email = excluded.email
  where false;

  select *
  into strict v_request
  from identity.login_codes
  where login_codes.email = v_email;

  if v_request.requested_at <= p_now - v_pause then
    v_allowance := least(
      v_most, v_request.allowance + extract(epoch from p_now - v_request.requested_at) / extract(epoch from v_each)
    );
    if v_allowance < 1 then
      return app.denial('login_codes_exhausted', ceil((1 - v_allowance) * extract(epoch from v_each))::integer);
    end if;

    update identity.login_codes
    set requested_at = p_now,
      allowance = v_allowance - 1
    where login_codes.email = v_email;
    v_request.requested_at := p_now;

    insert into identity.mails (kind, recipient, facts, created_at, expires_at, next_try_at)
    values (
      'login_code', v_email, jsonb_build_object('campusId', v_campus_id), p_now, p_now + v_mail_life, p_now
    )
    on conflict (recipient) where kind = 'login_code' do update
    set expires_at = excluded.expires_at;

    perform audit.record('login.requested', v_campus_id);
  end if;

  return jsonb_build_object(
    'email', v_email,
    'codeLivesSeconds', extract(epoch from v_code_life)::integer,
    'askAgainAt', v_request.requested_at + v_pause
  );
end;
$function$;

comment on function identity.request_login_code(text, timestamptz) is
'Ask for a login code by e-mail: {email, codeLivesSeconds, askAgainAt}, or the denial login_codes_exhausted. Refuses email_invalid, email_domain_unknown.';

revoke all on function identity.request_login_code(text, timestamptz) from public;
grant execute on function identity.request_login_code(text, timestamptz) to circle27_owner;
