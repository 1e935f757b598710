-- app.matched_slot(p_campus_id, p_time_slot): a slot that was matched, with what the matching kept of what it knew then.
--
-- Called off or not: what was matched may be looked at. Holds no lock.

create or replace function app.matched_slot(p_campus_id text, p_time_slot timestamptz)
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
  if v_slot.matched_at is null then
    perform app.refuse('not_matched_yet');
  end if;
  if v_slot.match_inputs is null then
    perform app.refuse('inputs_not_kept');
  end if;

  return v_slot;
end;
$function$;

comment on function app.matched_slot(text, timestamptz) is
'A slot that was matched, with what the matching kept. Refuses no_campus, slot_not_found, not_matched_yet, inputs_not_kept.';

revoke all on function app.matched_slot(text, timestamptz) from public;
