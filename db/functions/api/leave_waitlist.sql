-- api.leave_waitlist(p_time_slot): take the caller off the waitlist of one slot.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.leave_waitlist(p_time_slot timestamptz)
returns json
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.leave_waitlist(v_member.campus_id, v_member.user_id, p_time_slot);
end;
$function$;

comment on function api.leave_waitlist(timestamptz) is
'Leave the waitlist of one slot.

Gives the new button, as in get_button_states. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, deadline_passed.';

revoke all on function api.leave_waitlist(timestamptz) from public;
grant execute on function api.leave_waitlist(timestamptz) to authenticated;
