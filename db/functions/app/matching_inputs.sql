-- app.matching_inputs(p_campus, p_people, p_time_slot): what a matching knows of these people, and nothing else keeps.
--
-- The campus's rules, which may be changed; the walls, which may be taken down, as pairs of places in the list, so without a
-- name; and of each person what decides who is favoured. It is stored with the run: app.replay_matching() starts from it. The
-- list, the seed, who met whom and what was said are in the books: app.known_meetings(), app.known_wishes().
--
-- All is counted from the slot back, not from the moment of the matching: the same books give the same inputs.
--
-- A plan for each call, as in app.draw_circles().

create or replace function app.matching_inputs(p_campus app.campuses, p_people uuid[], p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_lately constant timestamptz := p_time_slot - interval '720 hours';
  v_inputs jsonb;
begin
  with listed as materialized (
    select people.user_id, people.place::integer as place
    from unnest(p_people) with ordinality as people (user_id, place)
  ),

  -- Left out lately; a hundred more for who was so the last time.
  missed as (
    select
      missing.user_id,
      missing.times + case when not exists (
        select
        from app.circle_members as places
        where places.campus_id = p_campus.campus_id
          and places.user_id = missing.user_id
          and places.time_slot > missing.last_at
          and places.time_slot < p_time_slot
      ) then 100 else 0 end as missed
    from (
      select entries.user_id, count(*)::integer as times, max(entries.time_slot) as last_at
      from app.waitlist_entries as entries
      inner join app.time_slots as slots
        on slots.campus_id = p_campus.campus_id
        and slots.time_slot = entries.time_slot
        and slots.cancelled_at is null
      where entries.campus_id = p_campus.campus_id
        and entries.left_out
        and entries.time_slot > c_lately
        and entries.time_slot < p_time_slot
      group by entries.user_id
    ) as missing
  ),

  stayed_away as (
    select places.user_id, count(*)::integer as times
    from app.circle_members as places
    where places.campus_id = p_campus.campus_id
      and places.attended = false
      and places.time_slot > c_lately
      and places.time_slot < p_time_slot
    group by places.user_id
  ),

  -- Repeats lately: pairs whose last meeting was not their first.
  repeated as (
    select sides.user_id, least(4, count(*))::integer as times
    from (
      select meetings.user_a as user_id
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.meetings_count > 1
        and meetings.last_met_at > c_lately
      union all
      select meetings.user_b
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.meetings_count > 1
        and meetings.last_met_at > c_lately
    ) as sides
    group by sides.user_id
  ),

  facts as (
    select
      listed.place,
      coalesce(missed.missed, 0) as missed,
      least(2, coalesce(stayed_away.times, 0)) as risk,
      coalesce(repeated.times, 0) as repeats,
      dense_rank() over (order by coalesce(users.attributes ->> p_campus.mix_attribute, '')) as class
    from listed
    left join missed on missed.user_id = listed.user_id
    left join stayed_away on stayed_away.user_id = listed.user_id
    left join repeated on repeated.user_id = listed.user_id
    left join app.users
      on p_campus.mix_attribute is not null
      and users.campus_id = p_campus.campus_id
      and users.user_id = listed.user_id
  ),

  walls as (
    select blockers.place as a, blocked.place as b
    from listed as blockers
    inner join app.blocks
      on blocks.campus_id = p_campus.campus_id
      and blocks.user_id = blockers.user_id
    inner join listed as blocked on blocked.user_id = blocks.blocked_id
  )

  select
    jsonb_build_object(
      'campus', jsonb_build_object(
        'campus_id', p_campus.campus_id,
        'size_min', p_campus.size_min,
        'size_target', p_campus.size_target,
        'size_max', p_campus.size_max,
        'min_gap_days', p_campus.min_gap_days,
        'mix_attribute', p_campus.mix_attribute
      ),
      'walls', (
        select coalesce(jsonb_agg(jsonb_build_array(walls.a, walls.b) order by walls.a, walls.b), '[]')
        from walls
      ),
      'missed', coalesce(jsonb_agg(facts.missed order by facts.place), '[]'),
      'risk', coalesce(jsonb_agg(facts.risk order by facts.place), '[]'),
      'repeats', coalesce(jsonb_agg(facts.repeats order by facts.place), '[]'),
      'class', coalesce(jsonb_agg(facts.class order by facts.place), '[]')
    )
  into v_inputs
  from facts;

  return v_inputs;
end;
$function$;

comment on function app.matching_inputs(app.campuses, uuid[], timestamptz) is
'What a matching knows and nothing else keeps: {campus: the columns that rule it, walls: [[place, place]], and a number for each person: missed (times left out in 30 days, a hundred more if also the last time), risk (no-shows in 30 days, at most 2), repeats (in 30 days, at most 4), class (of the attribute to mix)}.';

revoke all on function app.matching_inputs(app.campuses, uuid[], timestamptz) from public;
