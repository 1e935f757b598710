-- app.emit_slot(p_campus_id, p_time_slot, p_now): tell the campus what has become of a slot.
--
-- Instants are written in the campus's zone, whoever causes it: every event of a slot has the same form. How many are on
-- the list is told here only: the fact changes with each join, and app.emit_counts() tells that once a second.
--
-- requires: app.slot_facts

create or replace function app.emit_slot(p_campus_id text, p_time_slot timestamptz, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  perform app.use_campus_zone(p_campus_id);
  perform app.emit(p_campus_id, 'campus:' || p_campus_id, 'slot', app.slot_facts(slots, p_now) || jsonb_build_object(
    'joined',
    (
      select count(*)
      from app.waitlist_entries as entries
      where entries.campus_id = p_campus_id
        and entries.time_slot = p_time_slot
        and entries.left_at is null
    )
  ))
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;
end;
$function$;

comment on function app.emit_slot(text, timestamptz, timestamptz) is
'Put an event `slot` for the campus into the outbox: what everyone may know of the slot at p_now.';

revoke all on function app.emit_slot(text, timestamptz, timestamptz) from public;
