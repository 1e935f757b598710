-- app.leave_ahead(p_campus_id, p_user_id): leave all lists that are not matched yet and all circles that have not begun to meet.
--
-- Whatever the clock says: a worker that is away for an hour must not keep a member from being deleted or suspended. A list
-- that is being matched is waited for; one whose deadline has passed, and which nobody has begun to match, is left as an open
-- one is, for a place could be given up a moment later, too. A meeting that is on has happened: nobody gets out of it any
-- more. Who calls holds the member's lock.
--
-- First all slots, in their order, then the pairs, if there is a circle to leave: app.lock_key() says why. The clock after the
-- last lock.

create or replace function app.leave_ahead(p_campus_id text, p_user_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_time_slots timestamptz[] := array(
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
  );
  v_slot       app.time_slots;
  v_now        timestamptz;
begin
  perform app.use_campus_zone(p_campus_id);  -- the member is told, not the operator

  perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, ahead.time_slot))
  from unnest(v_time_slots) with ordinality as ahead (time_slot, number)
  order by ahead.number;
  if exists (
    select
    from app.circle_members as places
    where places.campus_id = p_campus_id
      and places.user_id = p_user_id
      and places.time_slot = any(v_time_slots)
      and places.cancelled_at is null
  ) then
    perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
  end if;
  v_now := app.clock();

  for v_slot in
    select slots.*
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = any(v_time_slots)
    order by slots.time_slot
  loop
    if v_slot.cancelled_at is not null or (v_slot.matched_at is not null and v_slot.time_slot <= v_now) then
      continue;
    elsif v_slot.matched_at is not null then
      perform app.leave_circle(p_campus_id, p_user_id, v_slot.time_slot, v_now);
    else
      -- As app.leave_waitlist(), which minds the deadline.
      update app.waitlist_entries as entries
      set left_at = greatest(v_now, entries.joined_at), version = app.next_version()
      where entries.campus_id = p_campus_id
        and entries.time_slot = v_slot.time_slot
        and entries.user_id = p_user_id;

      perform app.emit(
        p_campus_id, 'user:' || p_user_id, 'button', app.button(p_campus_id, p_user_id, v_slot.time_slot, v_now)::jsonb
      );
      perform audit.record('waitlist.left', p_campus_id, p_user_id, v_slot.time_slot);
    end if;
  end loop;
end;
$function$;

comment on function app.leave_ahead(text, uuid) is
'Leave all lists that are not matched yet and all circles that have not begun to meet.';

revoke all on function app.leave_ahead(text, uuid) from public;
