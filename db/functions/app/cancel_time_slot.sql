-- app.cancel_time_slot(p_campus_id, p_time_slot, p_reason): call a slot off, for good.
--
-- Repeatable: cancelling twice gives the same answer. Not after its end, for what took place did; unless nobody ran its
-- deadline until then (p_reason 'missed'). Circles that were formed stay in the books, but nobody in them has met: the
-- pairs are counted anew.
--
-- requires: app.slot_facts

create or replace function app.cancel_time_slot(
  p_campus_id text,
  p_time_slot timestamptz,
  p_reason text default 'called_off'
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_slot app.time_slots;
  v_now  timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  perform app.lock_for_matching(p_campus_id, p_time_slot, true);
  v_now := app.clock();

  select slots.*
  into v_slot
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if not found then
    perform app.refuse('slot_not_found');
  end if;

  if v_slot.cancelled_at is null then
    if v_now >= v_slot.ends_at and p_reason is distinct from 'missed' then
      perform app.refuse('slot_ended');
    end if;

    update app.time_slots as slots
    set cancelled_at = v_now, version = app.next_version()
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
    returning slots.* into v_slot;

    update app.circles
    set called_off = true
    where circles.campus_id = p_campus_id
      and circles.time_slot = p_time_slot;

    perform app.recount_meetings(p_campus_id, p_time_slot);
    perform app.emit_slot(p_campus_id, p_time_slot, v_now);
    perform app.emit_buttons(p_campus_id, p_time_slot, v_now);
    perform identity.queue_slot_mails(p_campus_id, p_time_slot, v_slot.ends_at - v_now);
    perform audit.record(
      'slot.cancelled', p_campus_id, null, p_time_slot, jsonb_build_object('reason', p_reason)
    );
  end if;

  perform app.use_campus_zone(p_campus_id);
  return app.slot_facts(v_slot, v_now);
end;
$function$;

comment on function app.cancel_time_slot(text, timestamptz, text) is
'Call a slot off; returns what everyone may know of it. Refuses no_campus, slot_not_found, slot_ended.';

revoke all on function app.cancel_time_slot(text, timestamptz, text) from public;
