-- app.open_campus_slots(p_campus_id, p_now): open one campus's slots from today to open_days_ahead.
--
-- Only slots that could be joined at p_now: one whose deadline has passed would open closed. The worker passes
-- app.clock(); the local seed passes the morning of today, so that a demo shows the day's earlier slots, too. So the
-- event says what each slot is now, which then is not `open`.
--
-- Repeatable, and safe beside itself: the key decides who opens a slot, and rows are inserted in its order, so none
-- waits in a circle.
--
-- requires: app.slot_instants

create or replace function app.open_campus_slots(p_campus_id text, p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus app.campuses;
  v_opened timestamptz[];
  v_now    timestamptz;
begin
  select campuses.*
  into v_campus
  from app.campuses
  where campuses.campus_id = p_campus_id;

  if not found then
    perform app.refuse('campus_not_found');
  end if;

  with wanted as (
    select distinct instants.time_slot
    from generate_series(0, v_campus.open_days_ahead) as ahead (days)
    cross join lateral app.slot_instants(
      v_campus.time_zone, (p_now at time zone v_campus.time_zone)::date + ahead.days, v_campus.slot_times
    ) as instants (time_slot)
    where instants.time_slot - v_campus.deadline_lead > p_now
    order by instants.time_slot
  ),

  opened as (
    insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
    select
      p_campus_id,
      wanted.time_slot,
      wanted.time_slot - v_campus.deadline_lead,
      wanted.time_slot + v_campus.duration,
      app.next_version()
    from wanted
    on conflict on constraint time_slots_pkey do nothing
    returning time_slot
  )

  select array_agg(opened.time_slot order by opened.time_slot)
  into v_opened
  from opened;

  if v_opened is null then
    return 0;
  end if;

  v_now := app.clock();
  perform app.emit_slot(p_campus_id, opened.time_slot, v_now)
  from unnest(v_opened) as opened (time_slot);
  perform audit.record('slots.opened', p_campus_id, null, null, jsonb_build_object('timeSlots', v_opened));
  return cardinality(v_opened);
end;
$function$;

comment on function app.open_campus_slots(text, timestamptz) is
'Open one campus''s slots from the day of p_now to open_days_ahead; returns how many. Refuses campus_not_found.';

revoke all on function app.open_campus_slots(text, timestamptz) from public;
