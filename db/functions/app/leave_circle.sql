-- app.leave_circle(p_campus_id, p_user_id, p_time_slot, p_now): give up a place in a circle that is still to meet.
--
-- The others hear at once who is left; the member's devices, that the button has changed. Whether there was a place.
-- Who calls holds the member's lock and, shared, the slot's; and counts anew who has met whom.

create or replace function app.leave_circle(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_now timestamptz
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_circle_no integer;
begin
  update app.circle_members as places
  set cancelled_at = p_now
  where places.campus_id = p_campus_id
    and places.time_slot = p_time_slot
    and places.user_id = p_user_id
    and places.cancelled_at is null
  returning places.circle_no into v_circle_no;

  if not found then
    return false;
  end if;

  update app.waitlist_entries as entries
  set version = app.next_version()
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = p_user_id;

  perform app.use_campus_zone(p_campus_id);
  perform app.emit(
    p_campus_id, 'user:' || p_user_id, 'button', app.button(p_campus_id, p_user_id, p_time_slot, p_now)::jsonb
  );
  insert into events.outbox (campus_id, channel, event, payload)
  select p_campus_id, 'user:' || (mates.mate ->> 'userId'), 'circle', facts.circle
  from app.circle_facts(p_campus_id, p_time_slot, v_circle_no) as facts
  cross join lateral jsonb_array_elements(facts.circle -> 'members') as mates (mate);

  perform audit.record('circle.left', p_campus_id, p_user_id, p_time_slot);
  return true;
end;
$function$;

comment on function app.leave_circle(text, uuid, timestamptz, timestamptz) is
'Give up a place in a circle that is still to meet, and tell everyone concerned; whether there was one.';

revoke all on function app.leave_circle(text, uuid, timestamptz, timestamptz) from public;
