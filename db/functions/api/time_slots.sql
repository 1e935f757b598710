-- api.time_slots(p_campus_id, p_day): the slots of a campus on one day. Public, the same for everyone, cacheable.
--
-- Instants are written in the campus's zone, not the caller's: one cached answer serves all. It may be kept for the
-- whole seconds before the next thing that the clock changes in it (so never past a deadline), and for ten at most.
--
-- Definer: anyone may ask, nobody may read the tables.
--
-- requires: app.slot_facts, app.day_start

create or replace function api.time_slots(p_campus_id text, p_day date default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now       timestamptz := app.clock();
  v_time_zone text;
  v_day       date;
  v_slots     jsonb;
  v_next      timestamptz;
begin
  if p_day not between date '2000-01-01' and date '2199-12-31' then
    perform app.refuse('day_invalid');
  end if;

  select campuses.time_zone
  into v_time_zone
  from app.campuses
  where campuses.campus_id = p_campus_id;

  if not found then
    perform app.refuse('campus_not_found');
  end if;
  v_day := coalesce(p_day, (v_now at time zone v_time_zone)::date);
  perform set_config('TimeZone', v_time_zone, true);

  select
    jsonb_agg(app.slot_facts(slots, v_now) order by slots.time_slot),
    least(
      min(slots.deadline_at) filter (where slots.deadline_at > v_now),
      min(slots.ends_at) filter (where slots.ends_at > v_now)
    )
  into v_slots, v_next
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot >= app.day_start(v_time_zone, v_day)
    and slots.time_slot < app.day_start(v_time_zone, v_day + 1);

  perform set_config(
    'response.headers',
    format(
      '[{"Cache-Control": "public, max-age=%s"}]',
      least(10, coalesce(floor(extract(epoch from v_next - v_now)), 10))::integer
    ),
    true
  );

  return jsonb_build_object(
    'campusId', p_campus_id,
    'timeZone', v_time_zone,
    'day', v_day,
    'slots', coalesce(v_slots, '[]')
  );
end;
$function$;

comment on function api.time_slots(text, date) is
'The slots of a campus on one day.

By default today, there. Gives {campusId, timeZone, day, slots}. Public and cacheable.
Refuses campus_not_found, day_invalid.';

revoke all on function api.time_slots(text, date) from public;
grant execute on function api.time_slots(text, date) to anon, authenticated, service_role;
