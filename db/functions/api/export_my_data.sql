-- api.export_my_data(): all that is kept about the caller.
--
-- Definer: reads the tables as their owner, once the token has said who asks.

create or replace function api.export_my_data()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.export_member(v_member.campus_id, v_member.user_id);
end;
$function$;

comment on function api.export_my_data() is
'All that is kept about the caller.

Gives {profile, waitlistEntries, circles, feedback, reports, sessions, trail}; the profile has the e-mail address, sessions those that are over, too; of the trail the newest 10,000 lines: my_trail has the older ones.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.export_my_data() from public;
grant execute on function api.export_my_data() to authenticated;
