-- app.open_time_slots(p_now): open the slots of all campuses; returns how many were opened.
--
-- The dispatcher: it only lists the campuses, each one's slots are opened by a call that can run where the campus is.
-- In the order of the campus ids, as every other run, so that two runs never wait for each other in a circle.
--
-- Definer: the worker holds no right on the tables.

create or replace function app.open_time_slots(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now       timestamptz := coalesce(p_now, app.clock());
  v_campus_id text;
  v_count     integer := 0;
begin
  if v_now not between timestamptz '2000-01-01 00:00:00+00' and timestamptz '2199-12-31 00:00:00+00' then
    perform app.refuse('time_invalid');
  end if;

  for v_campus_id in
    select campuses.campus_id
    from app.campuses
    order by campuses.campus_id
  loop
    v_count := v_count + app.open_campus_slots(v_campus_id, v_now);
  end loop;

  return v_count;
end;
$function$;

comment on function app.open_time_slots(timestamptz) is
'Open the slots of all campuses for the days ahead of p_now (default: the app clock); returns how many. Refuses time_invalid.';

revoke all on function app.open_time_slots(timestamptz) from public;
grant execute on function app.open_time_slots(timestamptz) to circle27_worker;
