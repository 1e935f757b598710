-- app.day_states(p_campus_id, p_user_id, p_time_zone, p_day, p_now): all slots of one day as one member sees them.
--
-- The hottest query there is: one statement, and each table is entered once, whatever the number of slots. The member's
-- rows of the day lie side by side in the index by member, so a look into each comes first; the slots then take theirs from
-- it. The day is the campus's: from its midnight to the next one; null means the day of p_now there.
--
-- No settings of its own, for each costs microseconds at every call: who calls it pins search_path, and asks for
-- the generic plan (making a plan for each call's own values costs more than running it).
--
-- requires: app.day_start
-- requires: app.slot_state

create or replace function app.day_states(
  p_campus_id text,
  p_user_id uuid,
  p_time_zone text,
  p_day date,
  p_now timestamptz
)
returns json
language plpgsql
stable
as $function$
declare
  v_day   date := coalesce(p_day, (p_now at time zone p_time_zone)::pg_catalog.date);
  v_from  timestamptz := app.day_start(p_time_zone, v_day);
  v_to    timestamptz := app.day_start(p_time_zone, v_day + 1);
  v_slots json;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  with entries as materialized (
    select
      waitlist_entries.time_slot,
      waitlist_entries.left_at is null as on_waitlist,
      waitlist_entries.version
    from app.waitlist_entries
    where waitlist_entries.campus_id = p_campus_id
      and waitlist_entries.user_id = p_user_id
      and waitlist_entries.time_slot >= v_from
      and waitlist_entries.time_slot < v_to
  ),

  members as materialized (
    select
      circle_members.time_slot,
      circle_members.cancelled_at is null as in_circle
    from app.circle_members
    where circle_members.campus_id = p_campus_id
      and circle_members.user_id = p_user_id
      and circle_members.time_slot >= v_from
      and circle_members.time_slot < v_to
  ),

  given as materialized (
    select feedback.time_slot
    from app.feedback
    where feedback.campus_id = p_campus_id
      and feedback.user_id = p_user_id
      and feedback.time_slot >= v_from
      and feedback.time_slot < v_to
  )

  select json_agg(ordered.state)
  into v_slots
  from (
    select app.slot_state(
      p_now,
      p_time_zone,
      slots.time_slot,
      slots.deadline_at,
      slots.ends_at,
      slots.matched_at,
      slots.cancelled_at,
      entries.on_waitlist is true,
      members.in_circle is true,
      given.time_slot is not null,
      greatest(slots.version, entries.version)
    ) as state
    from app.time_slots as slots
    left join entries on entries.time_slot = slots.time_slot
    left join members on members.time_slot = slots.time_slot
    left join given on given.time_slot = slots.time_slot
    where slots.campus_id = p_campus_id
      and slots.time_slot >= v_from
      and slots.time_slot < v_to
    -- The key's own order: an `order by` within json_agg() would sort, at every call.
    order by slots.time_slot
  ) as ordered;

  return coalesce(v_slots, '[]');
end;
$function$;

comment on function app.day_states(text, uuid, text, date, timestamptz) is
'All slots of one day as one member sees them, in order. Refuses no_campus.';

revoke all on function app.day_states(text, uuid, text, date, timestamptz) from public;
