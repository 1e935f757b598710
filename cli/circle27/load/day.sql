-- Open three slots, as a campus has them, on the first day ahead that has none.
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
select
  %(campus)s,
  moment.time_slot,
  moment.time_slot - interval '1 hour',
  moment.time_slot + interval '20 minutes',
  app.next_version()
from (
  select coalesce(max((slots.time_slot at time zone 'UTC')::date), '-infinity') as last
  from app.time_slots as slots
  where slots.campus_id = %(campus)s
) as days
cross join lateral (
  select (greatest(days.last, (app.clock() at time zone 'UTC')::date + 1) + 1 + clock.hour) at time zone 'UTC' as time_slot
  from unnest(array['11:00', '14:00', '17:00']::time[]) as clock (hour)
) as moment
returning
  (time_slot at time zone 'UTC')::date::text,
  to_char(time_slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')
