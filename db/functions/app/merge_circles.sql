-- app.merge_circles(p_campus_id, p_time_slot, p_now): find other circles for those who sit in one below the campus's minimum.
--
-- First all of them together, in one circle that has room and no wall; else each in another one, if all find one. (To move
-- only some would leave the others more alone.) Who can't be helped stays, and is tried again when the next place is given
-- up, for that makes room. A circle that is left by all gives its spot to the one they went to, if that has none, or back to
-- the campus.
--
-- Nothing is drawn: the same circles are merged in the same way. Gives the numbers of the circles that took somebody in. Who
-- calls holds the campus's pairs.

create or replace function app.merge_circles(p_campus_id text, p_time_slot timestamptz, p_now timestamptz)
returns integer[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus    app.campuses;
  v_circle_no integer;
  v_people    uuid[];
  v_to        integer[];
  v_merged    integer[] := array[]::integer[];
begin
  select campuses.*
  into strict v_campus
  from app.campuses
  where campuses.campus_id = p_campus_id;

  for v_circle_no in
    select circles.circle_no
    from app.circles
    where circles.campus_id = p_campus_id
      and circles.time_slot = p_time_slot
      and (
        select count(*)
        from app.circle_members as places
        where places.campus_id = p_campus_id
          and places.time_slot = p_time_slot
          and places.circle_no = circles.circle_no
          and places.cancelled_at is null
      ) between 1 and v_campus.size_min - 1
    order by circles.circle_no
  loop
    -- It may have taken somebody in a moment ago, or have joined another.
    v_people := app.circle_people(p_campus_id, p_time_slot, array[v_circle_no]);
    continue when cardinality(v_people) not between 1 and v_campus.size_min - 1;

    v_to := app.seats_elsewhere(v_campus, p_time_slot, v_people, v_circle_no);
    continue when v_to is null;

    update app.circle_members as places
    set circle_no = moves.circle_no, moved_from = coalesce(places.moved_from, places.circle_no), moved_at = p_now
    from unnest(v_people, v_to) as moves (user_id, circle_no)
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = moves.user_id;
    v_merged := v_merged || v_to;
    perform app.free_spot(p_campus_id, p_time_slot, v_circle_no, v_to[1]);
    perform audit.record(
      'circle.merged', p_campus_id, null, p_time_slot,
      jsonb_build_object('circleNo', v_circle_no, 'into', v_to)
    );
  end loop;

  return array(select distinct merged.circle_no from unnest(v_merged) as merged (circle_no) order by 1);
end;
$function$;

comment on function app.merge_circles(text, timestamptz, timestamptz) is
'Find other circles for those who sit in one below the minimum; the numbers of the circles that took somebody in.';

revoke all on function app.merge_circles(text, timestamptz, timestamptz) from public;
