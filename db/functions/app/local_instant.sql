-- app.local_instant(p_time_zone, p_local): the instant of a local time: the one rule for missing and double hours.
--
-- 11:00 is 11:00 on both sides of a daylight-saving change. A local time that the change leaves out counts
-- with the offset before it, as RFC 5545 has it: 02:30 becomes 03:30. (`at time zone` does so.) A local time that
-- comes twice means the first: `at time zone` gives the second, so the offset of a day earlier is tried too.
--
-- On all other days the offset is that of the day before, and the first test ends it. Part of every call, so without
-- settings of its own. Intervals hold hours, so no session's zone matters.

create or replace function app.local_instant(p_time_zone text, p_local timestamp)
returns timestamptz
language plpgsql
immutable
parallel safe
as $function$
declare
  v_instant timestamptz := p_local at time zone p_time_zone;
  v_shift   interval;
begin
  if (v_instant - interval '24 hours') at time zone p_time_zone = p_local - interval '24 hours' then
    return v_instant;
  end if;

  -- How far the clocks went back since a day earlier: the first of two is as much before the second.
  v_shift := (v_instant - interval '24 hours') at time zone p_time_zone - (p_local - interval '24 hours');
  if v_shift > interval '0' and (v_instant - v_shift) at time zone p_time_zone = p_local then
    return v_instant - v_shift;
  end if;

  return v_instant;
end;
$function$;

comment on function app.local_instant(text, timestamp) is
'The instant of a local time: a missing one is moved as RFC 5545 does, a double one means the first.';

revoke all on function app.local_instant(text, timestamp) from public;
