-- app.run_due_deadlines(p_limit, p_skip): match every slot whose deadline has passed. The worker calls it.
--
-- No memory and no schedule: due is what has passed its deadline and is neither matched nor cancelled. So an outage is
-- caught up with by the next call, and any number of schedulers may call at once: the slot's lock lets one do it. A slot
-- with people on its list whose end has passed, too, was missed: it is cancelled.
--
-- First it takes what nobody holds, so that several schedulers share the work; if all is held, it waits for the first.
-- While it holds a slot it waits for no other (app.lock_key() says why): what someone holds just then, and what is beyond
-- p_limit, is left for the next call and counted in `left`. With p_limit 1 each slot is a transaction of its own, and its
-- members hear of it before the next one is begun.
--
-- A slot that fails (a mistake of ours, or the time-out) is undone alone and named in `failed`. It stays due: who calls
-- lets it rest by naming it in p_skip, [{"campusId", "timeSlot"}]. After a time-out the call ends, for a statement has
-- only one.
--
-- Definer: the worker holds no right on the tables.

create or replace function app.run_due_deadlines(
  p_limit integer default null,
  p_skip jsonb default '[]'
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now     timestamptz := app.clock();
  v_wait    boolean;
  v_slot    record;
  v_held    boolean := false;
  v_done    integer := 0;
  v_left    integer;
  v_slug    text;
  v_matched jsonb := '[]'::jsonb;
  v_missed  jsonb := '[]'::jsonb;
  v_failed  jsonb := '[]'::jsonb;
begin
  <<due>>
  foreach v_wait in array array[false, true] loop
    exit when v_held;
    v_left := 0;

    for v_slot in
      select slots.campus_id, slots.time_slot, slots.ends_at
      from app.time_slots as slots
      where slots.deadline_at <= v_now
        and slots.matched_at is null
        and slots.cancelled_at is null
        and not exists (
          select
          from jsonb_to_recordset(p_skip) as skipped ("campusId" text, "timeSlot" timestamptz)
          where skipped."campusId" = slots.campus_id
            and skipped."timeSlot" = slots.time_slot
        )
      order by slots.deadline_at, slots.campus_id, slots.time_slot
    loop
      if v_done >= p_limit then
        v_left := v_left + 1;
        continue;
      end if;

      begin
        perform app.lock_for_matching(v_slot.campus_id, v_slot.time_slot, v_wait and not v_held);

        -- Somebody else may have done it a moment ago.
        if exists (
          select
          from app.time_slots as slots
          where slots.campus_id = v_slot.campus_id
            and slots.time_slot = v_slot.time_slot
            and slots.matched_at is null
            and slots.cancelled_at is null
        ) then
          if app.clock() >= v_slot.ends_at and exists (
            select
            from app.waitlist_entries as entries
            where entries.campus_id = v_slot.campus_id
              and entries.time_slot = v_slot.time_slot
              and entries.left_at is null
          ) then
            v_missed := v_missed || (
              app.cancel_time_slot(v_slot.campus_id, v_slot.time_slot, 'missed')
              || jsonb_build_object('campusId', v_slot.campus_id)
            );
          else
            v_matched := v_matched || app.match_time_slot(v_slot.campus_id, v_slot.time_slot);
          end if;
          v_done := v_done + 1;
        end if;
        v_held := true;  -- not before: an error gives the lock back
      exception
        when query_canceled or others then
          get stacked diagnostics v_slug = pg_exception_detail;
          if v_slug = 'slot_busy' then
            v_left := v_left + 1;
          else
            v_failed := v_failed || jsonb_build_object(
              'campusId', v_slot.campus_id, 'timeSlot', v_slot.time_slot, 'code', sqlstate, 'message', sqlerrm
            );
          end if;
          exit due when sqlstate = '57014';
      end;
    end loop;
  end loop;

  return jsonb_build_object(
    'matched', v_matched,
    'missed', v_missed,
    'failed', v_failed,
    'left', v_left,
    'now', v_now,
    'nextDeadlineAt', (
      select min(slots.deadline_at)
      from app.time_slots as slots
      where slots.deadline_at > v_now
        and slots.matched_at is null
        and slots.cancelled_at is null
    )
  );
end;
$function$;

comment on function app.run_due_deadlines(integer, jsonb) is
'Match every slot whose deadline has passed, p_limit at most, none of p_skip: {matched: [report], missed: [slot and campusId], failed: [{campusId, timeSlot, code, message}], left: due and left for the next call, now, nextDeadlineAt}.';

revoke all on function app.run_due_deadlines(integer, jsonb) from public;
grant execute on function app.run_due_deadlines(integer, jsonb) to circle27_worker;
