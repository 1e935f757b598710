-- app.lock_for_matching(p_campus_id, p_time_slot, p_wait): hold a slot alone: for matching and cancelling.
--
-- Waits for every join and leave that is under way. p_wait false: takes what is free, and tells if it was not.

create or replace function app.lock_for_matching(p_campus_id text, p_time_slot timestamptz, p_wait boolean)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if not p_wait then
    return pg_try_advisory_xact_lock(app.lock_key('slot', p_campus_id, p_time_slot))
      and pg_try_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
  end if;

  perform pg_advisory_xact_lock(app.lock_key('slot', p_campus_id, p_time_slot));
  perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
  return true;
end;
$function$;

comment on function app.lock_for_matching(text, timestamptz, boolean) is
'Hold a slot alone, to the end of the transaction; false if p_wait is false and somebody else holds it.';

revoke all on function app.lock_for_matching(text, timestamptz, boolean) from public;
