-- A campus with a past, set-based: members, slots, lists, circles, meetings. Each statement takes one day, or one campus.
--
-- Member `number` of a campus has the id md5(campus:number), so no statement has to look another's rows up. On each list
-- stand `people` members who follow each other by number, from a place that the slot draws: as ids they are spread.

-- name: campus
select app.add_campus(%(campus)s, 'Bench', 'UTC', array[%(campus)s || '.edu']);

-- name: members
with ids as (
  select md5(%(campus)s || ':' || number)::uuid as user_id, number
  from generate_series(0, %(members)s - 1) as numbers (number)
),
directory as (
  insert into app.user_campuses (user_id, campus_id)
  select user_id, %(campus)s from ids
)
insert into app.users (campus_id, user_id, email, display_name)
select %(campus)s, user_id, 'member' || number || '@' || %(campus)s || '.edu', 'Member' from ids;

-- name: meetings
insert into app.meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
select %(campus)s, least(ones.id, others.id), greatest(ones.id, others.id), 1, '2026-01-01'
from generate_series(0, %(members)s - 1) as numbers (number)
cross join generate_series(1, 5) as further (step)
cross join lateral (select md5(%(campus)s || ':' || number)::uuid as id) as ones
cross join lateral (select md5(%(campus)s || ':' || (number + step) %% %(members)s)::uuid as id) as others
order by 2, 3;

-- name: slots
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, matched_at, version)
select
  campus_id, at, at - interval '1 hour', at + interval '20 minutes',
  case when %(day)s < current_date then at - interval '1 hour' end, 1
from app.campuses
cross join unnest(array[11, 14, 17]) as hours (hour)
cross join lateral (select (%(day)s + make_interval(hours => hour)) at time zone 'UTC' as at) as instants
order by campus_id, at  -- as they are opened: a campus's day at once
on conflict do nothing;

-- name: entries
insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)
select campus_id, time_slot, user_id, deadline_at - interval '1 hour', 1
from app.time_slots
cross join lateral (
  select md5(campus_id || ':' || (mod(abs(hashtext(time_slot::text || campus_id)), %(members)s) + number) %% %(members)s)::uuid as user_id
  from generate_series(0, %(people)s - 1) as numbers (number)
  order by 1
) as people
where time_slot >= %(day)s and time_slot < %(day)s + 1;

-- name: circles
with places as materialized (
  select campus_id, time_slot, user_id, 1 + (row_number() over (partition by campus_id, time_slot order by user_id) - 1) / 4 as circle_no
  from app.waitlist_entries
  where campus_id in (select campus_id from app.campuses)
    and time_slot in (select time_slot from app.time_slots where time_slot >= %(day)s and time_slot < %(day)s + 1 and matched_at is not null)
),
circles as (
  insert into app.circles (campus_id, time_slot, circle_no, ends_at)
  select distinct campus_id, time_slot, circle_no, time_slot + interval '20 minutes' from places
)
insert into app.circle_members (campus_id, time_slot, user_id, circle_no)
select campus_id, time_slot, user_id, circle_no from places;
