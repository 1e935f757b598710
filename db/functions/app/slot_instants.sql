-- app.slot_instants(p_time_zone, p_day, p_times): the instants of local times on one day, each once, in order.
--
-- 11:00 is 11:00 on both sides of a daylight-saving change. A local time that the change leaves out counts
-- with the offset before it, as RFC 5545 has it: 02:30 becomes 03:30. (`at time zone` does so.) A local time that
-- comes twice means the first: `at time zone` gives the second, so the offset of a day earlier is tried too.
-- Where two local times fall on the same instant, there is one.

create or replace function app.slot_instants(p_time_zone text, p_day date, p_times time[])
returns setof timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $function$
  select distinct
    case when earlier.at at time zone p_time_zone = local.at then least(earlier.at, later.at) else later.at end
      as instant
  from unnest(p_times) as times (at)
  cross join lateral (select p_day + times.at) as local (at)
  cross join lateral (select local.at at time zone p_time_zone) as later (at)
  -- The offset that held a day before, applied to the local time.
  cross join lateral (select (later.at - interval '24 hours') at time zone p_time_zone) as yesterday (at)
  cross join lateral (
    select (local.at - (yesterday.at - (later.at - interval '24 hours') at time zone 'UTC')) at time zone 'UTC'
  ) as earlier (at)
  order by instant
$function$;

comment on function app.slot_instants(text, date, time[]) is
'The instants of local times on one day: a missing hour is moved as RFC 5545 does, a double one means the first.';

revoke all on function app.slot_instants(text, date, time[]) from public;
