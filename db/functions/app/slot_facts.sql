-- app.slot_facts(p_slot, p_now): what everyone may know of a slot. Instants are written in the session's TimeZone.
--
-- requires: app.slot_status

create or replace function app.slot_facts(p_slot app.time_slots, p_now timestamptz)
returns jsonb
language sql
stable
parallel safe
as $function$
  select jsonb_build_object(
    'timeSlot', p_slot.time_slot,
    'deadlineAt', p_slot.deadline_at,
    'endsAt', p_slot.ends_at,
    'slotStatus',
    app.slot_status(p_now, p_slot.deadline_at, p_slot.ends_at, p_slot.matched_at, p_slot.cancelled_at),
    'version', p_slot.version
  )
$function$;

comment on function app.slot_facts(app.time_slots, timestamptz) is
'What everyone may know of a slot at p_now: timeSlot, deadlineAt, endsAt, slotStatus, version.';

revoke all on function app.slot_facts(app.time_slots, timestamptz) from public;
