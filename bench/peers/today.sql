-- The two slots of today that are over for who wants to join: one has ended, one is on. 2,000 members are in their circles.
with slots as (
  insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, matched_at, version)
  select campus_id, at, at - deadline_lead, at + duration, at - deadline_lead, app.next_version()
  from app.campuses
  cross join unnest(array[11, 14]) as hours (hour)
  cross join lateral (
    select (date_trunc('day', clock_timestamp() at time zone time_zone) + make_interval(hours => hour)) at time zone time_zone as at
  ) as instants
  where campus_id = %(campus)s
  on conflict do nothing
  returning campus_id, time_slot, deadline_at, ends_at
),
people as (
  select slots.*, numbered.user_id, 1 + (numbered.number - 1) / 4 as circle_no
  from slots
  cross join lateral (
    select user_id, row_number() over (order by user_id) as number
    from app.users
    where users.campus_id = slots.campus_id
    order by user_id
    limit 2000
  ) as numbered
),
entries as (
  insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)
  select campus_id, time_slot, user_id, deadline_at - interval '1 hour', app.next_version() from people
),
circles as (
  insert into app.circles (campus_id, time_slot, circle_no, ends_at)
  select distinct campus_id, time_slot, circle_no, ends_at from people
)
insert into app.circle_members (campus_id, time_slot, user_id, circle_no)
select campus_id, time_slot, user_id, circle_no from people
