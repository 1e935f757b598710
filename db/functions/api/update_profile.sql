-- api.update_profile(p_display_name, p_attributes): change what a member may change of themselves.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.update_profile(p_display_name text default null, p_attributes jsonb default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.update_profile(v_member.campus_id, v_member.user_id, p_display_name, p_attributes);
end;
$function$;

comment on function api.update_profile(text, jsonb) is
'Change the caller''s display name and attributes.

What is null stays as it is. Gives the profile. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, display_name_invalid, attributes_invalid, member_not_found.';

revoke all on function api.update_profile(text, jsonb) from public;
grant execute on function api.update_profile(text, jsonb) to authenticated;
