-- app.standing_slot(p_campus_id, p_time_slot): a slot as it is now, unless it was called off.
--
-- Holds no lock: who changes what is said of the slot takes it before, and then sees what others have done.

create or replace function app.standing_slot(p_campus_id text, p_time_slot timestamptz)
returns app.time_slots
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot app.time_slots;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select slots.*
  into v_slot
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if not found then
    perform app.refuse('slot_not_found');
  end if;
  if v_slot.cancelled_at is not null then
    perform app.refuse('slot_cancelled');
  end if;

  return v_slot;
end;
$function$;

comment on function app.standing_slot(text, timestamptz) is
'A slot that was not called off. Refuses no_campus, slot_not_found, slot_cancelled.';

revoke all on function app.standing_slot(text, timestamptz) from public;
