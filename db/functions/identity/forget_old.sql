-- identity.forget_old(p_now): delete requests for codes and sessions that can't matter any more; returns how many.
--
-- An ended session is remembered for as long as one of its access tokens may be about: those of other issuers, and of
-- `circle27 token`, live for up to 366 days.
--
-- Definer: the worker holds no right on the tables.

create or replace function identity.forget_old(p_now timestamptz default clock_timestamp())
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_codes    integer;
  v_sessions integer;
begin
  delete from identity.login_codes
  where login_codes.requested_at < p_now - interval '24 hours'
    and not exists (select from identity.mails where mails.recipient = login_codes.email);
  get diagnostics v_codes = row_count;

  delete from identity.sessions
  where sessions.expires_at < p_now - interval '24 hours'
    and (sessions.ended_at is null or sessions.ended_at < p_now - interval '8808 hours');
  get diagnostics v_sessions = row_count;

  return v_codes + v_sessions;
end;
$function$;

comment on function identity.forget_old(timestamptz) is
'Delete requests for codes and sessions that can''t matter any more; how many.';

revoke all on function identity.forget_old(timestamptz) from public;
grant execute on function identity.forget_old(timestamptz) to circle27_worker;
