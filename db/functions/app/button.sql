-- app.button(p_campus_id, p_user_id, p_time_slot, p_now): one slot as one member sees it, as stored now.
--
-- The same object as in app.day_states(). Null if the campus has no such slot.
--
-- requires: app.slot_state

create or replace function app.button(p_campus_id text, p_user_id uuid, p_time_slot timestamptz, p_now timestamptz)
returns json
language plpgsql
stable
as $function$
declare
  v_state json;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select app.slot_state(
    p_now,
    campuses.time_zone,
    slots.time_slot,
    slots.deadline_at,
    slots.ends_at,
    slots.matched_at,
    slots.cancelled_at,
    entries.on_waitlist is true,
    members.in_circle is true,
    given.feedback is true,
    greatest(slots.version, entries.version)
  )
  into v_state
  from app.campuses
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot
  -- Each of the three by its primary key: `limit 1` keeps the planner from reading the member's whole past.
  left join lateral (
    select waitlist_entries.left_at is null as on_waitlist, waitlist_entries.version
    from app.waitlist_entries
    where waitlist_entries.campus_id = p_campus_id
      and waitlist_entries.time_slot = slots.time_slot
      and waitlist_entries.user_id = p_user_id
    limit 1
  ) as entries on true
  left join lateral (
    select circle_members.cancelled_at is null as in_circle
    from app.circle_members
    where circle_members.campus_id = p_campus_id
      and circle_members.time_slot = slots.time_slot
      and circle_members.user_id = p_user_id
    limit 1
  ) as members on true
  left join lateral (
    select true as feedback
    from app.feedback
    where feedback.campus_id = p_campus_id
      and feedback.time_slot = slots.time_slot
      and feedback.user_id = p_user_id
    limit 1
  ) as given on true
  where campuses.campus_id = p_campus_id;

  return v_state;
end;
$function$;

comment on function app.button(text, uuid, timestamptz, timestamptz) is
'One slot as one member sees it: the four keys of the button and what app.slot_state() puts around them; null if there is no such slot. Refuses no_campus.';

revoke all on function app.button(text, uuid, timestamptz, timestamptz) from public;
