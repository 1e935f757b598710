-- app.draw_circles(p_campus, p_people, p_time_slot, p_seed): who of these people sits with whom; reads walls and the past.
--
-- Turns people into numbers for app.form_circles(), and what is known of them into costs (app.pair_costs()). A wall parts
-- two people whichever of them put it up. Of a slot that was matched it knows what was known then: `inputs` as stored, and
-- meetings and wishes from the books. So the same slot and seed give the same circles.
--
-- Numbers are dealt so that people who are alike go to different circles: those with no-shows first, then by the attribute
-- to mix, then in the order of p_people, which is drawn.
--
-- Gives the circle number of each, null for who is left out; `inputs`, to be stored; and `quality`: what it costs, by
-- component; steps; and a lower bound of the repeats: whoever has met so many of the others that too few strangers are left
-- must meet somebody again.
--
-- A plan for each call: the cached one takes the list for ten people, and looks up every two of them (measured: from the
-- sixth matching of a session on, 19 s instead of 0.5 s for 2,500 people). Memory to join 50,000 people with a million pairs.

create or replace function app.draw_circles(
  p_campus app.campuses,
  p_people uuid[],
  p_time_slot timestamptz,
  p_seed bigint,
  out circles integer[],
  out quality jsonb,
  out inputs jsonb
)
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
as $function$
declare
  c_began  constant timestamptz := clock_timestamp();
  c_weight constant jsonb := app.match_weights();
  c_few    constant integer := 1000;  -- so many may be annealed, which needs all pairs
  c_help   constant integer := 64;    -- so many others may change places, at least
  v_order  integer[];  -- number -> place in p_people
  v_ids    uuid[];
  v_missed integer[];
  v_risk   integer[];
  v_class  integer[];
  v_repeats integer[];
  v_wall_a integer[];
  v_wall_b integer[];
  v_pair_a integer[];
  v_pair_b integer[];
  v_repeat integer[];  -- what the pair costs for having met, ...
  v_fair   integer[];  -- ... for the repeats that the two had of late, ...
  v_said   integer[];  -- ... and for what they said
  v_cost   integer[];
  v_met    integer[];  -- which of the pairs sit together
  v_pool   integer[];  -- who may change places; null: everybody
  v_start  integer[];  -- a circle for each, before anybody has changed places; 0: left out
  v_seats  integer[];
  v_steps  integer;
begin
  inputs := coalesce(
    (
      select slots.match_inputs
      from app.time_slots as slots
      where slots.campus_id = p_campus.campus_id
        and slots.time_slot = p_time_slot
    ),
    app.matching_inputs(p_campus, p_people, p_time_slot)
  );

  with facts as (
    select
      people.user_id,
      people.place::integer as place,
      people.missed::integer as missed,
      people.risk::integer as risk,
      people.repeats::integer as repeats,
      people.class::integer as class
    from rows from (
      unnest(p_people),
      jsonb_array_elements(inputs -> 'missed'),
      jsonb_array_elements(inputs -> 'risk'),
      jsonb_array_elements(inputs -> 'repeats'),
      jsonb_array_elements(inputs -> 'class')
    ) with ordinality as people (user_id, missed, risk, repeats, class, place)
  ),

  numbered as (
    select
      facts.*,
      row_number() over (
        order by facts.risk desc, hashtextextended(facts.class::text, p_seed), facts.class, facts.place
      ) as number
    from facts
  )

  select
    coalesce(array_agg(numbered.place order by numbered.number), '{}'),
    coalesce(array_agg(numbered.user_id order by numbered.number), '{}'),
    coalesce(array_agg(numbered.missed order by numbered.number), '{}'),
    coalesce(array_agg(numbered.risk order by numbered.number), '{}'),
    coalesce(array_agg(numbered.repeats order by numbered.number), '{}'),
    coalesce(array_agg(numbered.class order by numbered.number), '{}')
  into v_order, v_ids, v_missed, v_risk, v_repeats, v_class
  from numbered;

  with numbers as (
    select listed.place, listed.number::integer as number
    from unnest(v_order) with ordinality as listed (place, number)
  )

  select
    coalesce(array_agg(ones.number order by ones.number, others.number), '{}'),
    coalesce(array_agg(others.number order by ones.number, others.number), '{}')
  into v_wall_a, v_wall_b
  from jsonb_array_elements(inputs -> 'walls') as walls (pair)
  inner join numbers as ones on ones.place = (walls.pair ->> 0)::integer
  inner join numbers as others on others.place = (walls.pair ->> 1)::integer;

  v_start := app.seat_people(
    cardinality(p_people), p_campus.size_min, p_campus.size_target, p_campus.size_max, v_wall_a, v_wall_b, v_missed, p_seed
  );

  -- Among many, first only those change places who met somebody that they were seated with, and as many drawn to help.
  if cardinality(p_people) > c_few then
    with met as materialized (
      select sides.person
      from app.known_meetings(p_campus.campus_id, v_ids, p_time_slot, p_seats => v_start) as meetings
      cross join lateral (values (meetings.a), (meetings.b)) as sides (person)
    )

    select array_agg(pool.person order by pool.person)
    into v_pool
    from (
      select met.person
      from met
      union
      select 1 + (hashint8extended(draws.draw, p_seed) & 9223372036854775807) % cardinality(p_people)
      from generate_series(1, greatest(c_help, (select count(*) from met))) as draws (draw)
    ) as pool (person)
    having count(*) < cardinality(p_people) / 4;  -- else it is no less work
  end if;

  loop
    select
      coalesce(array_agg(costs.a), '{}'),
      coalesce(array_agg(costs.b), '{}'),
      coalesce(array_agg(costs.repeat), '{}'),
      coalesce(array_agg(costs.fair), '{}'),
      coalesce(array_agg(costs.said), '{}'),
      coalesce(array_agg(costs.repeat + costs.fair + costs.said), '{}')
    into v_pair_a, v_pair_b, v_repeat, v_fair, v_said, v_cost
    from app.pair_costs(p_campus, v_ids, v_repeats, p_time_slot, v_pool) as costs;

    select formed.circles, formed.steps
    into v_seats, v_steps
    from app.form_circles(
      v_start, p_campus.size_min, p_campus.size_max, v_wall_a, v_wall_b, v_pair_a, v_pair_b, v_cost, v_pool, v_risk, v_class,
      p_seed
    ) as formed;

    -- A loop, for it takes half the time of a join of the arrays.
    v_met := '{}';
    for v_at in 1 .. cardinality(v_pair_a) loop
      if v_seats[v_pair_a[v_at]] = v_seats[v_pair_b[v_at]] and v_seats[v_pair_a[v_at]] > 0 then
        v_met := v_met || v_at;
      end if;
    end loop;

    -- If that leaves a repeat, everybody may move.
    exit when v_pool is null or not exists (
      select
      from unnest(v_met) as pairs (at)
      where v_repeat[pairs.at] >= (c_weight ->> 'repeat')::integer
    );
    v_pool := null;
  end loop;

  with seats as materialized (
    select people.number::integer as number, people.circle, people.risk, people.class
    from unnest(v_seats, v_risk, v_class) with ordinality as people (circle, risk, class, number)
    where people.circle > 0
  ),

  sizes as materialized (
    select seats.circle, count(*) as people, sum(seats.risk) as risk
    from seats
    group by seats.circle
  ),

  -- Who is a stranger to so few that the smallest circle can't be filled with strangers repeats at least the rest. Where
  -- nobody repeats, there is nothing to count.
  known as (
    select sides.person, count(*) as others
    from (
      select unnest(v_pair_a) as person
      union all
      select unnest(v_pair_b)
      union all
      select unnest(array[walls.a, walls.b])
      from (
        select distinct least(walls.a, walls.b) as a, greatest(walls.a, walls.b) as b
        from unnest(v_wall_a, v_wall_b) as walls (a, b)
      ) as walls
      where not exists (
        select
        from unnest(v_pair_a, v_pair_b) as pairs (a, b)
        where least(pairs.a, pairs.b) = walls.a
          and greatest(pairs.a, pairs.b) = walls.b
      )
    ) as sides
    where v_met <> '{}'
    group by sides.person
    having count(*) > cardinality(p_people) - p_campus.size_max
  ),

  met as materialized (
    select v_repeat[pairs.at] as repeat, v_fair[pairs.at] as fair, v_said[pairs.at] as said
    from unnest(v_met) as pairs (at)
  )

  select jsonb_build_object(
    'algorithm', c_weight -> 'algorithm',
    'weights', c_weight - 'algorithm',
    'cost', jsonb_build_object(
      'repeats', (select coalesce(sum(met.repeat), 0) from met),
      'fairness', (select coalesce(sum(met.fair), 0) from met),
      'reliability', (c_weight ->> 'risk')::integer * (
        select coalesce(sum((sizes.risk + case when sizes.people = p_campus.size_min then 1 else 0 end) ^ 2), 0)::integer
        from sizes
        where exists (select from unnest(v_risk) as people (risk) where people.risk > 0)
      ),
      'feedback', (select coalesce(sum(met.said), 0) from met),
      'mix', (c_weight ->> 'mix')::integer * (
        select case when p_campus.mix_attribute is null then 0 else coalesce(sum(classes.pairs), 0) end
        from (
          select count(*) * (count(*) - 1) / 2 as pairs
          from seats
          group by seats.circle, seats.class
        ) as classes
      )
    ),
    'withinGap', (select count(*) from met where met.repeat >= (c_weight ->> 'gap')::integer),
    'lowerBound', (
      select coalesce(ceil(sum(greatest(0, least_size.people - 1 - (cardinality(p_people) - 1 - known.others))) / 2), 0)
      from known
      inner join seats on seats.number = known.person
      cross join (select min(sizes.people) as people from sizes) as least_size
    ),
    'steps', v_steps
  )
  into quality;

  circles := array(
    select nullif(seats.circle, 0)
    from unnest(v_seats, v_order) as seats (circle, place)
    order by seats.place
  );
  quality := quality || jsonb_build_object(
    'milliseconds', round(extract(epoch from clock_timestamp() - c_began) * 1000)
  );
end;
$function$;

comment on function app.draw_circles(app.campuses, uuid[], timestamptz, bigint) is
'Who of these members sits with whom: the circle number of each, null for who is left out; the inputs (app.matching_inputs()); and the quality: {algorithm, weights, cost: {repeats, fairness, reliability, feedback, mix}, withinGap, lowerBound, steps, milliseconds}.';

revoke all on function app.draw_circles(app.campuses, uuid[], timestamptz, bigint) from public;
