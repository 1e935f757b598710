-- app.emit_counts(p_slots): tell the campuses how many are on the lists of these slots now.
--
-- Not in the transaction that joins: 2,500 people in the last minute would be 2,500 messages to everybody. The worker sees
-- each join go by as it publishes it, and calls this once a second. A closed list does not change.
--
-- Definer: the worker holds no right on the tables.

create or replace function app.emit_counts(p_slots jsonb)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now timestamptz := app.clock();
begin
  perform app.emit_slot(slots.campus_id, slots.time_slot, v_now)
  from jsonb_to_recordset(p_slots) as changed ("campusId" text, "timeSlot" timestamptz)
  inner join app.time_slots as slots
    on slots.campus_id = changed."campusId"
    and slots.time_slot = changed."timeSlot"
    and slots.matched_at is null
    and slots.cancelled_at is null;
end;
$function$;

comment on function app.emit_counts(jsonb) is
'Put an event `slot` for each of these slots, [{campusId, timeSlot}], that is still to be matched into the outbox.';

revoke all on function app.emit_counts(jsonb) from public;
grant execute on function app.emit_counts(jsonb) to circle27_worker;
