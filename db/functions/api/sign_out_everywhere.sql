-- api.sign_out_everywhere(): end all sessions of the caller.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.sign_out_everywhere()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return identity.sign_out_everywhere(
    v_member.campus_id, v_member.user_id, (auth.jwt() ->> 'session_id')::uuid, clock_timestamp()
  );
end;
$function$;

comment on function api.sign_out_everywhere() is
'End all sessions of the caller.

Gives {signedOut}. This one too.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, not_yours.';

revoke all on function api.sign_out_everywhere() from public;
grant execute on function api.sign_out_everywhere() to authenticated;
