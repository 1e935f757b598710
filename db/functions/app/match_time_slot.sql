-- app.match_time_slot(p_campus_id, p_time_slot, p_seed): form the circles of one slot. Once.
--
-- One transaction: circles, places, spots, who has met whom, events and trail, or nothing. The exclusive lock waits for
-- every join that was accepted, and none is accepted after it. Repeatable: whoever comes second, a scheduler or a person,
-- finds the report of the first. All that is drawn comes from the seed, which is stored.
--
-- Not after the end, if anyone is on the list: they would be asked for feedback on what never took place. (Cancelling is
-- what is left then; app.run_due_deadlines() does it.)

create or replace function app.match_time_slot(p_campus_id text, p_time_slot timestamptz, p_seed bigint default null)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_campus app.campuses;
  v_slot   app.time_slots;
  v_now    timestamptz;
  v_seed   bigint := coalesce(p_seed, (random() * 9007199254740991)::bigint);  -- exact in JSON
  v_people uuid[];
  v_drawn  record;
  v_report jsonb;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  perform app.lock_for_matching(p_campus_id, p_time_slot, true);
  v_now := app.clock();

  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses slot_not_found, slot_cancelled
  if v_slot.matched_at is not null then
    return v_slot.match_report;
  end if;
  if v_now < v_slot.deadline_at then
    perform app.refuse('deadline_not_reached');
  end if;

  v_people := app.drawn_order(p_campus_id, p_time_slot, v_seed);
  if v_now >= v_slot.ends_at and cardinality(v_people) > 0 then
    perform app.refuse('slot_ended');
  end if;

  select campuses.*
  into strict v_campus
  from app.campuses
  where campuses.campus_id = p_campus_id;

  perform app.use_campus_zone(p_campus_id);
  select drawn.circles, drawn.quality, drawn.inputs
  into v_drawn
  from app.draw_circles(v_campus, v_people, p_time_slot, v_seed) as drawn;
  v_report := jsonb_build_object(
    'campusId', p_campus_id, 'timeSlot', p_time_slot, 'matchedAt', v_now, 'seed', v_seed
  ) || app.seat_circles(v_slot, v_people, v_drawn.circles, v_seed) || jsonb_build_object('quality', v_drawn.quality);

  update app.time_slots as slots
  set matched_at = v_now, version = app.next_version(), match_seed = v_seed, match_report = v_report,
    match_inputs = v_drawn.inputs
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  perform app.emit_slot(p_campus_id, p_time_slot, v_now);
  perform app.emit_circles(p_campus_id, p_time_slot);  -- first: who sees `confirmed` knows with whom
  perform app.emit_buttons(p_campus_id, p_time_slot, v_now);
  if cardinality(v_people) > 0 then
    perform identity.queue_slot_mails(p_campus_id, p_time_slot, v_slot.ends_at - v_now);
  end if;
  perform audit.record('slot.matched', p_campus_id, null, p_time_slot, v_report);

  return v_report;
end;
$function$;

comment on function app.match_time_slot(text, timestamptz, bigint) is
'Form the circles of one slot, once: {campusId, timeSlot, matchedAt, seed, people, circles, leftOut, repeatedPairs, circlesWithoutSpot, quality}. Refuses no_campus, slot_not_found, slot_cancelled, deadline_not_reached, slot_ended.';

revoke all on function app.match_time_slot(text, timestamptz, bigint) from public;
