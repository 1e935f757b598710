-- app.run_due_deadlines(): match every slot whose deadline has passed. What the worker calls; so may anyone trusted.
--
-- No memory and no schedule: due is what has passed its deadline and is neither matched nor cancelled. So an outage is
-- caught up with by the next call, and any number of schedulers may call at once: the slot's lock lets one do it, the
-- others find it done. A slot with people on its list whose end has passed, too, was missed: it is cancelled.
--
-- While it holds one slot it waits for no other (app.lock_key() says why): a further slot that someone holds just now is
-- left for the next call, and counted in `busy`. A slot that fails (a mistake of ours) holds up no other.
--
-- Definer: the worker holds no right on the tables.

create or replace function app.run_due_deadlines()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot    record;
  v_wait    boolean := true;
  v_matched jsonb := '[]'::jsonb;
  v_missed  jsonb := '[]'::jsonb;
  v_failed  jsonb := '[]'::jsonb;
  v_busy    integer := 0;
begin
  for v_slot in
    select slots.campus_id, slots.time_slot, slots.ends_at
    from app.time_slots as slots
    where slots.deadline_at <= app.clock()
      and slots.matched_at is null
      and slots.cancelled_at is null
    order by slots.deadline_at, slots.campus_id, slots.time_slot
  loop
    if not app.lock_for_matching(v_slot.campus_id, v_slot.time_slot, v_wait) then
      v_busy := v_busy + 1;
      continue;
    end if;
    v_wait := false;

    -- Somebody else may have done it while we waited.
    continue when not exists (
      select
      from app.time_slots as slots
      where slots.campus_id = v_slot.campus_id
        and slots.time_slot = v_slot.time_slot
        and slots.matched_at is null
        and slots.cancelled_at is null
    );

    begin
      if app.clock() >= v_slot.ends_at and exists (
        select
        from app.waitlist_entries as entries
        where entries.campus_id = v_slot.campus_id
          and entries.time_slot = v_slot.time_slot
          and entries.left_at is null
      ) then
        v_missed := v_missed || app.cancel_time_slot(v_slot.campus_id, v_slot.time_slot, 'missed');
      else
        v_matched := v_matched || app.match_time_slot(v_slot.campus_id, v_slot.time_slot);
      end if;
    exception
      when others then
        v_failed := v_failed || jsonb_build_object(
          'campusId', v_slot.campus_id, 'timeSlot', v_slot.time_slot, 'code', sqlstate, 'message', sqlerrm
        );
    end;
  end loop;

  return jsonb_build_object(
    'matched', v_matched,
    'missed', v_missed,
    'failed', v_failed,
    'busy', v_busy,
    'now', app.clock(),
    'nextDeadlineAt', (
      select min(slots.deadline_at)
      from app.time_slots as slots
      where slots.deadline_at > app.clock()
        and slots.matched_at is null
        and slots.cancelled_at is null
    )
  );
end;
$function$;

comment on function app.run_due_deadlines() is
'Match every slot whose deadline has passed: {matched: [report], missed: [slot], failed: [{campusId, timeSlot, code, message}], busy, now, nextDeadlineAt}.';

revoke all on function app.run_due_deadlines() from public;
grant execute on function app.run_due_deadlines() to circle27_worker;
