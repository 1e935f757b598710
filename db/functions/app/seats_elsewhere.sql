-- app.seats_elsewhere(p_campus, p_time_slot, p_people, p_circle_no): other circles of the slot for those of a small one.
--
-- All in one circle where that is possible; else each in a circle of their own, whoever has the least choice first. Null if
-- not everybody finds a seat. Where there is a choice: the fewest pairs who have met within the campus's minimum gap, then who
-- have met at all, then the smaller circle.

create or replace function app.seats_elsewhere(
  p_campus app.campuses,
  p_time_slot timestamptz,
  p_people uuid[],
  p_circle_no integer
)
returns integer[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_circle_no integer;
  v_user_id   uuid;
  v_taken     integer[] := array[p_circle_no];
  v_seats     jsonb := '{}'::jsonb;
begin
  select seats.circle_no
  into v_circle_no
  from app.open_seats(p_campus, p_time_slot, p_people, v_taken) as seats
  order by seats.rank
  limit 1;

  if found then
    return array_fill(v_circle_no, array[cardinality(p_people)]);
  end if;
  if cardinality(p_people) = 1 then
    return null;
  end if;

  for v_user_id in
    select people.user_id
    from unnest(p_people) as people (user_id)
    order by
      (select count(*) from app.open_seats(p_campus, p_time_slot, array[people.user_id], v_taken)),
      people.user_id
  loop
    select seats.circle_no
    into v_circle_no
    from app.open_seats(p_campus, p_time_slot, array[v_user_id], v_taken) as seats
    order by seats.rank
    limit 1;

    if not found then
      return null;
    end if;
    v_taken := v_taken || v_circle_no;
    v_seats := v_seats || jsonb_build_object(v_user_id, v_circle_no);
  end loop;

  return array(
    select (v_seats ->> people.user_id::text)::integer
    from unnest(p_people) with ordinality as people (user_id, number)
    order by people.number
  );
end;
$function$;

comment on function app.seats_elsewhere(app.campuses, timestamptz, uuid[], integer) is
'For each of these members the number of another circle of the slot that takes them; null if not everybody finds one.';

revoke all on function app.seats_elsewhere(app.campuses, timestamptz, uuid[], integer) from public;
