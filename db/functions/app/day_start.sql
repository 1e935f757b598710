-- app.day_start(p_time_zone, p_day): the first instant of a local day.
--
-- The day goes on to the start of the next one, so every instant is on one day and no more. Its first instant is
-- midnight; of a double midnight the first; where midnight is missing, the end of the gap (clocks that skip midnight
-- go from 00:00 to 01:00, so the rule for missing hours hits it). A day that a zone skipped is empty.
--
-- One expression, which the planner puts into its caller: it costs no call of its own.
--
-- requires: app.local_instant

create or replace function app.day_start(p_time_zone text, p_day date)
returns timestamptz
language sql
immutable
parallel safe
as $function$
  select app.local_instant(p_time_zone, p_day::pg_catalog.timestamp)
$function$;

comment on function app.day_start(text, date) is
'The first instant of a local day: midnight, the first of a double one, the end of the gap where it is missing.';

revoke all on function app.day_start(text, date) from public;
