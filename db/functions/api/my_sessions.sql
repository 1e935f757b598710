-- api.my_sessions(): where the caller is signed in.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.my_sessions()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return jsonb_build_object(
    'sessions',
    identity.member_sessions(v_member.user_id, (auth.jwt() ->> 'session_id')::uuid, clock_timestamp())
  );
end;
$function$;

comment on function api.my_sessions() is
'Where the caller is signed in.

Gives {sessions: [{sessionId, current, signedInAt, renewedAt, userAgent, address}]}, the newest first.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.my_sessions() from public;
grant execute on function api.my_sessions() to authenticated;
