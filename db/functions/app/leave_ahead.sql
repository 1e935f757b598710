-- app.leave_ahead(p_campus_id, p_user_id): leave all lists that are open and all circles that have not begun to meet.
--
-- A list that is being matched is waited for; one whose deadline has passed, and which nobody has begun to match, can't be
-- left: that is a matter of a second. (Whom the deadline overtakes between two readings of the clock hears deadline_passed,
-- and asks again.) A meeting that is on has happened: nobody gets out of it any more. Who calls holds the member's lock.
--
-- First all slots, in their order, and then the pairs: app.lock_key() says why.

create or replace function app.leave_ahead(p_campus_id text, p_user_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_time_slot timestamptz;
  v_slot      app.time_slots;
  v_now       timestamptz;
  v_left      timestamptz[] := array[]::timestamptz[];
begin
  perform app.use_campus_zone(p_campus_id);  -- the member is told, not the operator

  for v_time_slot in
    select entries.time_slot
    from app.waitlist_entries as entries
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = entries.time_slot
      and slots.ends_at > app.clock()
    where entries.campus_id = p_campus_id
      and entries.user_id = p_user_id
      and entries.left_at is null
    order by entries.time_slot
  loop
    perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, v_time_slot));
    v_now := app.clock();

    select slots.*
    into strict v_slot
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = v_time_slot;

    if v_slot.cancelled_at is not null or (v_slot.matched_at is not null and v_slot.time_slot <= v_now) then
      continue;
    elsif v_slot.matched_at is not null then
      if app.leave_circle(p_campus_id, p_user_id, v_time_slot, v_now) then
        v_left := v_left || v_time_slot;
      end if;
    elsif v_now < v_slot.deadline_at then
      perform app.leave_waitlist(p_campus_id, p_user_id, v_time_slot);
    else
      perform app.refuse('slot_busy');
    end if;
  end loop;

  -- They meet nobody there.
  if v_left <> '{}' then
    perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
    perform app.recount_meetings(p_campus_id, slots.time_slot)
    from unnest(v_left) as slots (time_slot);
  end if;
end;
$function$;

comment on function app.leave_ahead(text, uuid) is
'Leave all open lists and all circles that have not begun to meet. Refuses slot_busy, deadline_passed.';

revoke all on function app.leave_ahead(text, uuid) from public;
