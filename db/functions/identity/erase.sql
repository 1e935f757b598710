-- identity.erase(p_user_id, p_email, p_now): sign a member out everywhere, and forget where they were signed in.
--
-- The codes first: who is signing in with one at this moment is waited for, and signed out with the others.
--
-- Definer: called by the app as circle27_owner, which sees no table of this schema.

create or replace function identity.erase(p_user_id uuid, p_email text, p_now timestamptz)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  -- The mail first, as all who touch both.
  delete from identity.mails where mails.recipient = p_email;
  delete from identity.login_codes where login_codes.email = p_email;

  perform identity.end_session(ended.session_id, 'session.ended', p_now)
  from (
    select sessions.session_id
    from identity.sessions
    where sessions.user_id = p_user_id
      and sessions.ended_at is null
    order by sessions.session_id  -- as in identity.sign_out_everywhere()
  ) as ended;

  update identity.sessions
  set user_agent = null,
    address = null
  where sessions.user_id = p_user_id;
end;
$function$;

comment on function identity.erase(uuid, text, timestamptz) is
'Sign a member out everywhere; forget addresses, clients, codes and mail.';

revoke all on function identity.erase(uuid, text, timestamptz) from public;
grant execute on function identity.erase(uuid, text, timestamptz) to circle27_owner;
