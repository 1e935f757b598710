-- app.day_states(p_campus_id, p_user_id, p_day, p_now): all slots of one day as one member sees them.
--
-- The hottest query there is: one statement, each table entered once by its primary key. The day is the
-- campus's: from its midnight to the next one; null means the day of p_now there.
--
-- No settings of its own, for each costs microseconds at every call: who calls it pins search_path, and asks for
-- the generic plan (making a plan for each call's own values costs more than running it).
--
-- requires: app.slot_state

create or replace function app.day_states(p_campus_id text, p_user_id uuid, p_day date, p_now timestamptz)
returns json
language plpgsql
stable
as $function$
declare
  v_slots json;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_day not between date '2000-01-01' and date '2199-12-31' then
    perform app.refuse('day_invalid');
  end if;

  select json_agg(
    app.slot_state(
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
    order by slots.time_slot
  )
  into v_slots
  from app.campuses
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot >= coalesce(p_day, (p_now at time zone campuses.time_zone)::date)::timestamp
      at time zone campuses.time_zone
    and slots.time_slot < (coalesce(p_day, (p_now at time zone campuses.time_zone)::date) + 1)::timestamp
      at time zone campuses.time_zone
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

  return coalesce(v_slots, '[]');
end;
$function$;

comment on function app.day_states(text, uuid, date, timestamptz) is
'All slots of one day as one member sees them, in order. Refuses no_campus, day_invalid.';

revoke all on function app.day_states(text, uuid, date, timestamptz) from public;
