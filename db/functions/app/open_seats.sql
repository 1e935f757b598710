-- app.open_seats(p_campus, p_time_slot, p_people, p_not): the circles of a slot that could take these people, all together.
--
-- There is room for them, no wall between any two, and it is large enough with them (or they are fewer than that now, and
-- two who would sit alone sit together). The best has rank 1: the fewest pairs who have met within the campus's minimum gap,
-- then the fewest meetings of any age, then the smallest circle, then the first number.

create or replace function app.open_seats(
  p_campus app.campuses,
  p_time_slot timestamptz,
  p_people uuid[],
  p_not integer[]
)
returns table (circle_no integer, rank integer)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
begin
  return query
  with circles as materialized (
    select places.circle_no, array_agg(places.user_id) as people
    from app.circle_members as places
    where places.campus_id = p_campus.campus_id
      and places.time_slot = p_time_slot
      and places.cancelled_at is null
      and places.circle_no <> all(p_not)
    group by places.circle_no
    having count(*) <= p_campus.size_max - cardinality(p_people)
  ),

  walls as materialized (
    select blocks.blocked_id as user_id
    from app.blocks
    where blocks.campus_id = p_campus.campus_id
      and blocks.user_id = any(p_people)
    union
    select blocks.user_id
    from app.blocks
    where blocks.campus_id = p_campus.campus_id
      and blocks.blocked_id = any(p_people)
  ),

  met as materialized (
    select
      others.user_id,
      sum(others.meetings_count) as meetings,
      count(*) filter (
        where others.last_met_at > p_time_slot - make_interval(hours => 24 * p_campus.min_gap_days)
      ) as lately
    from (
      select meetings.user_b as user_id, meetings.meetings_count, meetings.last_met_at
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.user_a = any(p_people)
      union all
      select meetings.user_a, meetings.meetings_count, meetings.last_met_at
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.user_b = any(p_people)
    ) as others
    group by others.user_id
  )

  select
    circles.circle_no,
    row_number() over (
      order by
        cardinality(circles.people) + cardinality(p_people) < p_campus.size_min,
        coalesce(sum(met.lately), 0),
        coalesce(sum(met.meetings), 0),
        cardinality(circles.people),
        circles.circle_no
    )::integer
  from circles
  left join met on met.user_id = any(circles.people)
  where not exists (select from walls where walls.user_id = any(circles.people))
  group by circles.circle_no, circles.people;
end;
$function$;

comment on function app.open_seats(app.campuses, timestamptz, uuid[], integer[]) is
'The circles of a slot, but for p_not, that could take these members together, the best with rank 1.';

revoke all on function app.open_seats(app.campuses, timestamptz, uuid[], integer[]) from public;
