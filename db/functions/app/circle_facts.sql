-- app.circle_facts(p_campus_id, p_time_slot, p_circle_no): circles as their members see them: one, or all of a slot.
--
-- Names and ids of those who come, and the spot; never an e-mail address. In the order of names, not of any number. And
-- whether they are fewer than the campus wants: after places were given up.
--
-- One pass over the slot's places, grouped: at the matching all circles are asked for at once. Names by the primary key
-- (`limit 1` leaves no other way), as the planner knows nothing of rows that were written a moment ago. A plan for each
-- call, because one circle and all circles want different ones.

create or replace function app.circle_facts(
  p_campus_id text,
  p_time_slot timestamptz,
  p_circle_no integer default null
)
returns table (circle_no integer, circle jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_size_min integer := (select campuses.size_min from app.campuses where campuses.campus_id = p_campus_id);
begin
  return query
  select
    seated.circle_no,
    jsonb_build_object(
      'timeSlot', p_time_slot,
      'circleNo', seated.circle_no,
      'spot', (
        select jsonb_build_object('spotId', spots.spot_id, 'name', spots.name)
        from app.circles
        inner join app.meeting_spots as spots
          on spots.campus_id = p_campus_id
          and spots.spot_id = circles.spot_id
        where circles.campus_id = p_campus_id
          and circles.time_slot = p_time_slot
          and circles.circle_no = seated.circle_no
      ),
      'members', seated.members,
      'belowMinimum', jsonb_array_length(seated.members) < v_size_min
    )
  from (
    select
      places.circle_no,
      jsonb_agg(
        jsonb_build_object('userId', places.user_id, 'displayName', names.display_name)
        order by names.display_name, places.user_id
      ) as members
    from app.circle_members as places
    cross join lateral (
      select users.display_name
      from app.users
      where users.campus_id = p_campus_id
        and users.user_id = places.user_id
      limit 1
    ) as names
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and (p_circle_no is null or places.circle_no = p_circle_no)
      and places.cancelled_at is null
    group by places.circle_no
  ) as seated;
end;
$function$;

comment on function app.circle_facts(text, timestamptz, integer) is
'Circles as their members see them, one or all of a slot: {timeSlot, circleNo, spot: {spotId, name} or null, members: [{userId, displayName}], belowMinimum}.';

revoke all on function app.circle_facts(text, timestamptz, integer) from public;
