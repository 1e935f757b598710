-- api.my_profile(): the caller as they see themselves.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.my_profile()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.profile(v_member.campus_id, v_member.user_id);
end;
$function$;

comment on function api.my_profile() is
'The caller as they see themselves.

Gives {userId, campusId, timeZone, displayName, tier, attributes, circleMail, suspendedUntil (null if not), blocked: [{userId, displayName}]}.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.my_profile() from public;
grant execute on function api.my_profile() to authenticated;
