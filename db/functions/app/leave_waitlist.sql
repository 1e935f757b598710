-- app.leave_waitlist(p_campus_id, p_user_id, p_time_slot): take a member off the waitlist of one slot.
--
-- Repeatable: leaving twice, or without having joined, gives the same button and writes nothing. The row stays. Who left
-- in time may ask again after the deadline.
--
-- Made like app.join_waitlist(), for the same reasons.

create or replace function app.leave_waitlist(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
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
        and entries.left_at is not null
    ) then
      perform app.refuse('deadline_passed');
    end if;
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  -- greatest(): a clock that was turned back can't have someone leave before they came.
  update app.waitlist_entries as entries
  set left_at = greatest(v_slot.entered_at, entries.joined_at), version = app.next_version()
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = p_user_id
    and entries.left_at is null
  returning entries.version into v_version;

  if not found then
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  v_button := app.slot_state(
    v_slot.entered_at, v_slot.time_zone, p_time_slot, v_slot.deadline_at, v_slot.ends_at, null, null,
    false, false, false, greatest(v_slot.version, v_version)
  );
  perform app.emit(p_campus_id, 'user:' || p_user_id, 'button', v_button::jsonb);
  perform audit.record('waitlist.left', p_campus_id, p_user_id, p_time_slot);
  return v_button;
end;
$function$;

comment on function app.leave_waitlist(text, uuid, timestamptz) is
'Take a member off the waitlist of one slot; returns the new button. Refuses no_campus, slot_not_found, account_deleted, slot_cancelled, deadline_passed.';

revoke all on function app.leave_waitlist(text, uuid, timestamptz) from public;
