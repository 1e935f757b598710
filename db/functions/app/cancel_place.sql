-- app.cancel_place(p_campus_id, p_user_id, p_time_slot): "I can't come after all", between the deadline and the start.
--
-- Before the deadline there is no place yet, only the list (app.leave_waitlist()); from the start on who is not there stayed
-- away. The button says `confirmed` throughout, for Method 7 has no other word: so this is a call of its own.
--
-- The locks in their order, and the clock after the last. Who has no place to give up never waits for the pairs.
-- Repeatable, at any time: who gave it up in time gets their button, and nothing is written.

create or replace function app.cancel_place(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns json
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot app.time_slots;
  v_now  timestamptz := app.clock();
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  perform app.lock_member(p_user_id);  -- refuses account_deleted
  perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, p_time_slot));

  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses slot_not_found, slot_cancelled

  if not exists (
    select
    from app.circle_members as places
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = p_user_id
      and places.cancelled_at is not null
  ) then
    perform app.own_circle_no(p_campus_id, p_user_id, v_slot, v_now);  -- refuses who is in none
    perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
    v_now := app.clock();
    if v_now >= p_time_slot then
      perform app.refuse('meeting_begun');
    end if;
    perform app.leave_circle(p_campus_id, p_user_id, p_time_slot, v_now);
  end if;

  return app.button(p_campus_id, p_user_id, p_time_slot, v_now);
end;
$function$;

comment on function app.cancel_place(text, uuid, timestamptz) is
'Give up a member''s place in a circle that is still to meet; returns the new button. Refuses no_campus, account_deleted, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, meeting_begun.';

revoke all on function app.cancel_place(text, uuid, timestamptz) from public;
