-- The peer's join of $1 (session $2) to slot $3, under the slot's lock: entry and trail, and what the button is made of.
with caller as materialized (
  select
    directory.user_id, directory.campus_id, directory.closed_at, campuses.time_zone,
    clock_timestamp() + (select time_offset from app.clock_offset) as now,
    exists (select from identity.sessions where session_id = $2 and ended_at is not null) as session_over
  from app.user_campuses as directory
  inner join app.campuses on campuses.campus_id = directory.campus_id
  where directory.user_id = $1
),
slot as materialized (
  select slots.*
  from app.time_slots as slots
  inner join caller on caller.campus_id = slots.campus_id
  where slots.time_slot = $3
),
entry as (
  insert into app.waitlist_entries as entries (campus_id, time_slot, user_id, joined_at, version)
  select slot.campus_id, slot.time_slot, caller.user_id, caller.now, nextval('app.version_seq')
  from slot
  inner join caller on caller.closed_at is null and not caller.session_over
  where slot.matched_at is null and slot.cancelled_at is null and caller.now < slot.deadline_at
  on conflict on constraint waitlist_entries_pkey do update
  set joined_at = excluded.joined_at, left_at = null, version = excluded.version
  where entries.left_at is not null
  returning entries.version
),
line as (
  insert into audit.log (action, campus_id, user_id, time_slot, actor_id, actor_role, session_id, address, request_id)
  select 'waitlist.joined', slot.campus_id, caller.user_id, slot.time_slot, caller.user_id, 'authenticated', $2::text, $4, $5
  from entry cross join slot cross join caller
)
select
  caller.now, caller.time_zone, caller.closed_at, caller.session_over,
  slot.time_slot, slot.deadline_at, slot.ends_at, slot.matched_at, slot.cancelled_at,
  coalesce(
    entry.version,
    (select greatest(slot.version, old.version) from app.waitlist_entries as old
     where old.campus_id = slot.campus_id and old.time_slot = slot.time_slot and old.user_id = caller.user_id)
  ) as version,
  entry.version is not null as is_new, true as on_waitlist, false as in_circle, false as feedback
from caller
left join slot on true
left join entry on true
