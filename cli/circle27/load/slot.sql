-- Open a slot whose deadline comes in so many seconds of real time, at a whole second, and which is over so many seconds
-- after it.
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
select
  %(campus)s,
  moment.deadline_at + least(interval '1 hour', make_interval(secs => %(lasts)s) / 2),
  moment.deadline_at,
  moment.deadline_at + make_interval(secs => %(lasts)s),
  app.next_version()
from (select date_trunc('second', app.clock() + make_interval(secs => %(lead)s)) as deadline_at) as moment
returning
  to_char(time_slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
  (time_slot at time zone 'UTC')::date::text,
  extract(epoch from deadline_at - (select time_offset from app.clock_offset))
