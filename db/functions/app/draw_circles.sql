-- app.draw_circles(p_campus, p_people, p_time_slot, p_seed): who of these people sits with whom; reads walls and past meetings.
--
-- Turns people into numbers for app.form_circles(). A wall parts two people whichever of them put it up. A pair that met
-- costs one; within the campus's minimum gap before this slot, more than all others together could. (The gap is counted
-- from slot to slot, not from the moment of the matching: the same input gives the same circles.)
--
-- A plan for each call: the cached one takes the list for ten people, and looks up every two of them (measured: from the
-- sixth matching of a session on, 19 s instead of 0.5 s for 2,500 people).

create or replace function app.draw_circles(
  p_campus app.campuses,
  p_people uuid[],
  p_time_slot timestamptz,
  p_seed bigint
)
returns integer[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_wall_a   integer[];
  v_wall_b   integer[];
  v_met_a    integer[];
  v_met_b    integer[];
  v_met_cost integer[];
begin
  with people as materialized (
    select listed.user_id, listed.number::integer as number
    from unnest(p_people) with ordinality as listed (user_id, number)
  )

  select array_agg(blockers.number order by blockers.number, blocked.number),
    array_agg(blocked.number order by blockers.number, blocked.number)
  into v_wall_a, v_wall_b
  from people as blockers
  inner join app.blocks
    on blocks.campus_id = p_campus.campus_id
    and blocks.user_id = blockers.user_id
  inner join people as blocked on blocked.user_id = blocks.blocked_id;

  with people as materialized (
    select listed.user_id, listed.number::integer as number
    from unnest(p_people) with ordinality as listed (user_id, number)
  )

  select
    array_agg(ones.number order by ones.number, others.number),
    array_agg(others.number order by ones.number, others.number),
    array_agg(
      case when meetings.last_met_at > p_time_slot - make_interval(hours => 24 * p_campus.min_gap_days) then 10000 else 1 end
      order by ones.number, others.number
    )
  into v_met_a, v_met_b, v_met_cost
  from people as ones
  inner join app.meetings
    on meetings.campus_id = p_campus.campus_id
    and meetings.user_a = ones.user_id
  inner join people as others on others.user_id = meetings.user_b;

  return app.form_circles(
    cardinality(p_people),
    p_campus.size_min,
    p_campus.size_target,
    p_campus.size_max,
    coalesce(v_wall_a, '{}'),
    coalesce(v_wall_b, '{}'),
    coalesce(v_met_a, '{}'),
    coalesce(v_met_b, '{}'),
    coalesce(v_met_cost, '{}'),
    p_seed
  );
end;
$function$;

comment on function app.draw_circles(app.campuses, uuid[], timestamptz, bigint) is
'Who of these members sits with whom: the circle number of each, null for who is left out.';

revoke all on function app.draw_circles(app.campuses, uuid[], timestamptz, bigint) from public;
