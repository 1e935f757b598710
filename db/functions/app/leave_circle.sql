-- app.leave_circle(p_campus_id, p_user_id, p_time_slot, p_now): give up a place in a circle that is still to meet.
--
-- The one way out of a circle: for who can't come (app.cancel_place()), and for who is deleted or suspended
-- (app.leave_ahead()). Circles that are too small then are mended (app.merge_circles()), and everyone concerned hears at
-- once whom they meet now. Who has met whom is counted anew for the pairs that this has parted or brought together.
--
-- Who is left alone by it met nobody, and counts as left out: the next matching places them first. Two who are left do meet.
--
-- Whether there was a place. Who calls holds the member's lock, shared the slot's, and the campus's pairs: so two who leave
-- one circle at the same moment take turns, and no wall goes up while circles are merged.

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
  v_merged    integer[];
  v_changed   integer[];
  v_before    uuid[];
  v_concerned uuid[];
begin
  update app.circle_members as places
  set cancelled_at = p_now, changes_count = places.changes_count + 1
  where places.campus_id = p_campus_id
    and places.time_slot = p_time_slot
    and places.user_id = p_user_id
    and places.cancelled_at is null
  returning places.circle_no into v_circle_no;

  if not found then
    return false;
  end if;

  v_before := app.circle_people(p_campus_id, p_time_slot, array[v_circle_no]);
  if v_before = '{}' then
    perform app.free_spot(p_campus_id, p_time_slot, v_circle_no, null);
  end if;
  v_merged := app.merge_circles(p_campus_id, p_time_slot, p_now);
  v_changed := array_remove(v_merged, v_circle_no) || v_circle_no;
  v_concerned := app.circle_people(p_campus_id, p_time_slot, v_changed);

  update app.circle_members as places
  set changes_count = places.changes_count + 1
  where places.campus_id = p_campus_id
    and places.time_slot = p_time_slot
    and places.user_id = any(v_concerned);
  update app.waitlist_entries as entries
  set version = app.next_version(), left_out = false
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = p_user_id;
  update app.waitlist_entries as entries
  set left_out = seats.alone
  from (
    select people.user_id, cardinality(people.mates) = 1 as alone
    from unnest(v_changed) as changed (circle_no)
    cross join lateral (select app.circle_people(p_campus_id, p_time_slot, array[changed.circle_no]) as mates) as circles
    cross join lateral (select mates.user_id, circles.mates from unnest(circles.mates) as mates (user_id)) as people
  ) as seats
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = seats.user_id
    and entries.left_out <> seats.alone;
  perform app.recount_pairs(p_campus_id, v_before || v_concerned || p_user_id);

  perform app.use_campus_zone(p_campus_id);
  perform app.emit(
    p_campus_id, 'user:' || p_user_id, 'button', app.button(p_campus_id, p_user_id, p_time_slot, p_now)::jsonb
  );
  perform audit.record('circle.left', p_campus_id, p_user_id, p_time_slot);

  insert into events.outbox (campus_id, channel, event, payload)
  select
    p_campus_id,
    'user:' || (mates.mate ->> 'userId'),
    'circle',
    facts.circle || jsonb_build_object(
      'reason', case when facts.circle_no = any(v_merged) then 'merged' else 'place_given_up' end
    )
  from unnest(v_changed) as changed (circle_no)
  cross join lateral app.circle_facts(p_campus_id, p_time_slot, changed.circle_no) as facts
  cross join lateral jsonb_array_elements(facts.circle -> 'members') as mates (mate);

  perform app.mail_circles(p_campus_id, p_time_slot, v_concerned || p_user_id);

  perform audit.record(
    'circle.below_minimum', p_campus_id, null, p_time_slot, facts.circle - 'members' - 'spot' - 'timeSlot' - 'belowMinimum'
  )
  from unnest(v_changed) as changed (circle_no)
  cross join lateral app.circle_facts(p_campus_id, p_time_slot, changed.circle_no) as facts
  where facts.circle -> 'belowMinimum' = 'true';

  return true;
end;
$function$;

comment on function app.leave_circle(text, uuid, timestamptz, timestamptz) is
'Give up a place in a circle that is still to meet, mend the circles, and tell everyone concerned; whether there was a place.';

revoke all on function app.leave_circle(text, uuid, timestamptz, timestamptz) from public;
