-- app.join_waitlist(p_campus_id, p_user_id, p_time_slot): put a member on the waitlist of one slot.
--
-- Repeatable: who is on the list already gets their button, and nothing is written. After the deadline, too: who joined
-- in time and asks again, as the answer got lost, must not hear that they came too late.
--
-- The hottest write there is: the button is made of what is known here (on the list of an open slot, so in no circle),
-- and not looked up. No settings of its own: who calls it pins search_path.

create or replace function app.join_waitlist(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns json
language plpgsql
volatile
as $function$
declare
  v_slot    record := app.enter_open_slot(p_campus_id, p_user_id, p_time_slot);
  v_version bigint;
  v_button  json;
begin
  -- Too late to write anything, and without the lock: a repetition is answered, all else refused.
  if not v_slot.is_open then
    if not exists (
      select
      from app.waitlist_entries as entries
      where entries.campus_id = p_campus_id
        and entries.time_slot = p_time_slot
        and entries.user_id = p_user_id
        and entries.left_at is null
    ) then
      perform app.refuse('deadline_passed');
    end if;
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  if v_slot.is_suspended then
    perform app.refuse('suspended');
  end if;

  insert into app.waitlist_entries as entries (campus_id, time_slot, user_id, joined_at, version)
  values (p_campus_id, p_time_slot, p_user_id, v_slot.entered_at, app.next_version())
  on conflict on constraint waitlist_entries_pkey do update
  set joined_at = excluded.joined_at, left_at = null, version = excluded.version
  where entries.left_at is not null
  returning entries.version into v_version;

  if not found then
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  v_button := app.slot_state(
    v_slot.entered_at, v_slot.time_zone, p_time_slot, v_slot.deadline_at, v_slot.ends_at, null, null,
    true, false, false, greatest(v_slot.version, v_version)
  );
  perform app.emit(p_campus_id, 'user:' || p_user_id, 'button', v_button::jsonb);
  perform audit.record('waitlist.joined', p_campus_id, p_user_id, p_time_slot);
  return v_button;
end;
$function$;

comment on function app.join_waitlist(text, uuid, timestamptz) is
'Put a member on the waitlist of one slot; returns the new button. Refuses no_campus, slot_not_found, account_deleted, slot_cancelled, deadline_passed, suspended.';

revoke all on function app.join_waitlist(text, uuid, timestamptz) from public;
