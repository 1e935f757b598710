-- api.update_profile(p_display_name, p_attributes, p_circle_mail): change what a member may change of themselves.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.update_profile(
  p_display_name text default null, p_attributes jsonb default null, p_circle_mail boolean default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.update_profile(v_member.campus_id, v_member.user_id, p_display_name, p_attributes, p_circle_mail);
end;
$function$;

comment on function api.update_profile(text, jsonb, boolean) is
'Change the caller''s display name, attributes and mails about circles.

What is null stays as it is; p_circle_mail false: no mails. Gives the profile. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, display_name_invalid, attributes_invalid, member_not_found.';

revoke all on function api.update_profile(text, jsonb, boolean) from public;
grant execute on function api.update_profile(text, jsonb, boolean) to authenticated;
