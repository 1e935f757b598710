-- What must hold after any calls, beside what constraints hold: one row for each thing that does not.

select 'in two circles of one slot' as fault, user_id::text as whom
from app.circle_members
group by campus_id, time_slot, user_id
having count(*) > 1

union all

select 'a version ahead of the sequence', version::text
from (select version from app.waitlist_entries union all select version from app.time_slots) as versions
where version > (select last_value from app.version_seq)

union all

select 'a circle of fewer than three or more than five, as it was formed', time_slot || ' ' || coalesce(moved_from, circle_no)
from app.circle_members
group by campus_id, time_slot, coalesce(moved_from, circle_no)
having count(*) not between 3 and 5

union all

select 'a circle that has become too large', time_slot || ' ' || circle_no
from app.circle_members
where cancelled_at is null
group by campus_id, time_slot, circle_no
having count(*) > 5

union all

select 'a spot with two circles at one time', ones.spot_id
from app.circles as ones
inner join app.time_slots as slots using (campus_id, time_slot)
inner join app.circles as others using (campus_id, spot_id)
inner join app.time_slots as their_slots
  on their_slots.campus_id = others.campus_id and their_slots.time_slot = others.time_slot
where (ones.time_slot, ones.circle_no) < (others.time_slot, others.circle_no)
  and (slots.time_slot, slots.ends_at) overlaps (their_slots.time_slot, their_slots.ends_at)
  and slots.cancelled_at is null and their_slots.cancelled_at is null

union all

select 'a slot overdue', campus_id || ' ' || time_slot
from app.time_slots
where deadline_at < app.clock() - interval '1 minute' and matched_at is null and cancelled_at is null

union all

select 'a constraint that was not checked', conname
from pg_constraint
where not convalidated

union all

-- Every write left a line in the trail.
select 'no line in the trail: ' || action, user_id::text
from (
  select 'waitlist.joined' as action, campus_id, user_id, time_slot from app.waitlist_entries
  union all
  select 'feedback.given', campus_id, user_id, time_slot from app.feedback
  union all
  select 'circle.left', campus_id, user_id, time_slot from app.circle_members where cancelled_at is not null
  union all
  select 'user.blocked', campus_id, user_id, null from app.blocks
  union all
  select 'user.registered', campus_id, user_id, null from app.users
  union all
  select 'slot.matched', campus_id, null, time_slot from app.time_slots where matched_at is not null
  union all
  select 'slot.cancelled', campus_id, null, time_slot from app.time_slots where cancelled_at is not null
) as writes
where not exists (
  select
  from audit.log
  where log.action = writes.action
    and log.campus_id = writes.campus_id
    and (log.user_id = writes.user_id or writes.user_id is null)
    and (log.time_slot = writes.time_slot or writes.time_slot is null)
);
