-- api.sign_out(): end the session of the token. (app.pre_request has seen to it that session_id is a uuid.)
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.sign_out()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member     record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  v_session_id text := auth.jwt() ->> 'session_id';
begin
  if v_session_id is null then
    perform app.refuse('session_missing');
  end if;
  return identity.sign_out(v_member.campus_id, v_member.user_id, v_session_id::uuid, clock_timestamp());
end;
$function$;

comment on function api.sign_out() is
'End the session of this token.

Gives {signedOut}. Its tokens count no more, and its stream ends.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, session_missing, not_yours.';

revoke all on function api.sign_out() from public;
grant execute on function api.sign_out() to authenticated;
