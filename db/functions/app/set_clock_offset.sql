-- app.set_clock_offset(p_offset): move the clock that slots follow; returns what it shows now.
--
-- The offset is kept in exact seconds: days and months would be added by each session's own time zone, and
-- two sessions would read two different times. The days that now lie ahead get their slots at once. Every campus hears of it: what its members' buttons say has changed.

create or replace function app.set_clock_offset(p_offset interval)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_real     timestamptz := clock_timestamp();
  v_offset   interval;
  v_now      timestamptz;
  v_campuses text[];
begin
  if p_offset is null or p_offset not between interval '-99 years' and interval '99 years' then
    perform app.refuse('clock_offset_invalid');
  end if;
  v_offset := make_interval(secs => extract(epoch from (v_real + p_offset) - v_real)::double precision);

  update app.clock_offset
  set time_offset = v_offset
  where clock_offset.only_row;
  v_now := v_real + v_offset;

  v_campuses := array(select campuses.campus_id from app.campuses order by campuses.campus_id);
  perform app.emit(moved.campus_id, 'campus:' || moved.campus_id, 'clock', jsonb_build_object('now', v_now))
  from unnest(v_campuses) as moved (campus_id);
  perform app.open_time_slots(v_now);
  perform audit.record('clock.set', null, null, null, jsonb_build_object('offset', v_offset));

  return v_now;
end;
$function$;

comment on function app.set_clock_offset(interval) is
'Move the clock that slots, deadlines and feedback follow. Refuses clock_offset_invalid, time_invalid.';

revoke all on function app.set_clock_offset(interval) from public;
