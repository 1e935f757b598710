-- app.lock_for_matching(p_campus_id, p_time_slot, p_wait): hold a slot alone: for matching and cancelling.
--
-- Waits for every join and leave that is under way. p_wait false: refuses slot_busy instead of waiting. Who catches that
-- holds neither of the two locks: what a block of code has locked is released when an error undoes it.

create or replace function app.lock_for_matching(p_campus_id text, p_time_slot timestamptz, p_wait boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_wait then
    perform pg_advisory_xact_lock(app.lock_key('slot', p_campus_id, p_time_slot));
    perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
  elsif not pg_try_advisory_xact_lock(app.lock_key('slot', p_campus_id, p_time_slot))
    or not pg_try_advisory_xact_lock(app.lock_key('pairs', p_campus_id)) then
    perform app.refuse('slot_busy');
  end if;
end;
$function$;

comment on function app.lock_for_matching(text, timestamptz, boolean) is
'Hold a slot alone, to the end of the transaction. p_wait false: now or not at all. Refuses slot_busy.';

revoke all on function app.lock_for_matching(text, timestamptz, boolean) from public;
