-- Open a slot whose deadline comes in so many seconds of real time, at a whole second.
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
select
  %(campus)s,
  moment.deadline_at + interval '1 hour',
  moment.deadline_at,
  moment.deadline_at + interval '80 minutes',
  app.next_version()
from (select date_trunc('second', app.clock() + make_interval(secs => %(lead)s)) as deadline_at) as moment
returning
  to_char(time_slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'),
  (time_slot at time zone 'UTC')::date::text,
  extract(epoch from deadline_at - (select time_offset from app.clock_offset))
