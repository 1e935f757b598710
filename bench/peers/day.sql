-- The peer's poll: who asks ($1, in session $2), and each slot of the campus's day as this member stands to it.
with caller as (
  select
    directory.user_id, directory.campus_id, directory.closed_at, campuses.time_zone,
    clock_timestamp() + (select time_offset from app.clock_offset) as now,
    exists (select from identity.sessions where session_id = $2 and ended_at is not null) as session_over
  from app.user_campuses as directory
  inner join app.campuses on campuses.campus_id = directory.campus_id
  where directory.user_id = $1
),
day as materialized (
  select caller.*, date_trunc('day', caller.now at time zone caller.time_zone) as midnight
  from caller
)
select
  day.now, day.time_zone, day.closed_at, day.session_over,
  slots.time_slot, slots.deadline_at, slots.ends_at, slots.matched_at, slots.cancelled_at,
  greatest(slots.version, entries.version) as version,
  entries.user_id is not null and entries.left_at is null as on_waitlist,
  members.user_id is not null and members.cancelled_at is null as in_circle,
  given.user_id is not null as feedback
from day
left join app.time_slots as slots
  on slots.campus_id = day.campus_id
  and slots.time_slot >= day.midnight at time zone day.time_zone
  and slots.time_slot < (day.midnight + interval '1 day') at time zone day.time_zone
left join app.waitlist_entries as entries
  on entries.campus_id = slots.campus_id and entries.time_slot = slots.time_slot and entries.user_id = day.user_id
left join app.circle_members as members
  on members.campus_id = slots.campus_id and members.time_slot = slots.time_slot and members.user_id = day.user_id
left join app.feedback as given
  on given.campus_id = slots.campus_id and given.time_slot = slots.time_slot and given.user_id = day.user_id
order by slots.time_slot
