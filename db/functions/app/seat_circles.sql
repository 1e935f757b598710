-- app.seat_circles(p_slot, p_people, p_circles, p_seed): write the circles down: spots, places, who has met whom.
--
-- A spot is dealt to one circle at a time: not while another slot's circle, with any minute in common, has it (the key
-- circles_spot_free would refuse that). Where the spots run out, circles have none. Called with the campus's 'pairs' lock held.
--
-- Not a plan for each call, as in app.draw_circles(): that would hold for the checks of the foreign keys, too, and plan one
-- anew for each row (measured: a sixth of the matching of 2,500 people). So nothing here joins two lists.

create or replace function app.seat_circles(p_slot app.time_slots, p_people uuid[], p_circles integer[], p_seed bigint)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set work_mem = '64MB'
as $function$
declare
  v_left_out uuid[] := array(
    select seats.user_id from unnest(p_people, p_circles) as seats (user_id, circle_no) where seats.circle_no is null
  );
  v_repeated integer;
  v_spotless integer;
  v_count    integer := coalesce((select max(circles.number) from unnest(p_circles) as circles (number)), 0);
begin
  with free_spots as (
    select
      spots.spot_id,
      row_number() over (order by hashtextextended(spots.spot_id, p_seed), spots.spot_id) as number
    from app.meeting_spots as spots
    where spots.campus_id = p_slot.campus_id
      and spots.closed_at is null
      and not exists (
        select
        from app.circles as booked
        where booked.campus_id = p_slot.campus_id
          and booked.spot_id = spots.spot_id
          and not booked.called_off
          and tstzrange(booked.time_slot, booked.ends_at) && tstzrange(p_slot.time_slot, p_slot.ends_at)
      )
  )

  insert into app.circles (campus_id, time_slot, circle_no, spot_id, ends_at)
  select p_slot.campus_id, p_slot.time_slot, numbers.circle_no, free_spots.spot_id, p_slot.ends_at
  from generate_series(1, v_count) as numbers (circle_no)
  left join free_spots on free_spots.number = numbers.circle_no;

  insert into app.circle_members (campus_id, time_slot, user_id, circle_no)
  select p_slot.campus_id, p_slot.time_slot, seats.user_id, seats.circle_no
  from unnest(p_people, p_circles) as seats (user_id, circle_no)
  where seats.circle_no is not null;

  -- Whoever got no place comes first the next time.
  update app.waitlist_entries as entries
  set left_out = true
  where entries.campus_id = p_slot.campus_id
    and entries.time_slot = p_slot.time_slot
    and entries.user_id = any(v_left_out);

  with circles as (
    select array_agg(seats.user_id order by seats.user_id) as people
    from unnest(p_people, p_circles) as seats (user_id, circle_no)
    where seats.circle_no is not null
    group by seats.circle_no
  ),

  met as (
    insert into app.meetings as meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
    select p_slot.campus_id, ones.user_id, others.user_id, 1, p_slot.time_slot
    from circles
    cross join lateral unnest(circles.people) with ordinality as ones (user_id, number)
    cross join lateral unnest(circles.people[ones.number + 1:]) as others (user_id)
    on conflict on constraint meetings_pkey do update
    set meetings_count = meetings.meetings_count + 1,
      last_met_at = greatest(meetings.last_met_at, excluded.last_met_at)
    returning meetings.meetings_count
  )

  select count(*) filter (where met.meetings_count > 1)
  into v_repeated
  from met;

  select count(*)
  into v_spotless
  from app.circles
  where circles.campus_id = p_slot.campus_id
    and circles.time_slot = p_slot.time_slot
    and circles.spot_id is null;

  return jsonb_build_object(
    'people', cardinality(p_people),
    'circles', v_count,
    'leftOut', cardinality(v_left_out),
    'repeatedPairs', v_repeated,
    'circlesWithoutSpot', v_spotless
  );
end;
$function$;

comment on function app.seat_circles(app.time_slots, uuid[], integer[], bigint) is
'Write the circles of one slot down; returns {people, circles, leftOut, repeatedPairs, circlesWithoutSpot}.';

revoke all on function app.seat_circles(app.time_slots, uuid[], integer[], bigint) from public;
