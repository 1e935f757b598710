-- api.cancel_place(p_time_slot): "I can't come after all", between the deadline and the start.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.cancel_place(p_time_slot timestamptz)
returns json
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.cancel_place(v_member.campus_id, v_member.user_id, p_time_slot);
end;
$function$;

comment on function api.cancel_place(timestamptz) is
'Give up the caller''s place in a circle that is still to meet.

Gives the new button, as in get_button_states. The others are told at once; a circle that is too small then joins another. For good: a place is not given back. Before the deadline, use leave_waitlist. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, meeting_begun.';

revoke all on function api.cancel_place(timestamptz) from public;
grant execute on function api.cancel_place(timestamptz) to authenticated;
