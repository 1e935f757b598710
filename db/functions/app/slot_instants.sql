-- app.slot_instants(p_time_zone, p_day, p_times): the instants of local times on one day, each once, in order.
--
-- Where two local times fall on the same instant (a missing one is moved), there is one.
--
-- requires: app.local_instant

create or replace function app.slot_instants(p_time_zone text, p_day date, p_times time[])
returns setof timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $function$
  select distinct app.local_instant(p_time_zone, p_day + times.at) as instant
  from unnest(p_times) as times (at)
  order by instant
$function$;

comment on function app.slot_instants(text, date, time[]) is
'The instants of local times on one day: a missing hour is moved as RFC 5545 does, a double one means the first.';

revoke all on function app.slot_instants(text, date, time[]) from public;
