-- app.day_states(p_campus_id, p_user_id, p_time_zone, p_day, p_now): all slots of one day as one member sees them.
--
-- The hottest query there is: one statement, each table entered once by its primary key. The day is the
-- campus's: from its midnight to the next one; null means the day of p_now there.
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
      given.feedback is true,
      greatest(slots.version, entries.version)
    ) as state
    from app.time_slots as slots
    -- Each of the three by its primary key: `limit 1` keeps the planner from reading the member's whole past. What a slot
    -- can't have yet is not looked for.
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
        and slots.matched_at is not null
      limit 1
    ) as members on true
    left join lateral (
      select true as feedback
      from app.feedback
      where feedback.campus_id = p_campus_id
        and feedback.time_slot = slots.time_slot
        and feedback.user_id = p_user_id
        and slots.ends_at <= p_now
      limit 1
    ) as given on true
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
