-- app.form_circles(...): who sits with whom. The whole of the matching that needs no table.
--
-- People are numbers from 1 to p_people, drawn into that order by the caller. In this order of weight:
--   1. Walls hold: nobody sits with someone from whom a wall parts them.
--   2. Sizes hold, and as few as possible are left out: nobody, wherever a split into the allowed sizes exists.
--   3. Sizes are balanced: they differ by one at most, where the walls permit.
--   4. Pairs who have met are parted as long as a swap of two people lessens the sum of the costs.
--
-- 1 to 3: app.seat_walled() seats those with walls, first into balanced circles, then into any allowed sizes and numbers
-- of circles, then leaving out one more, then leaving out those with the most walls; all others fill up, the smallest
-- circle first. 4: swaps, until none helps or the work allowed for it is done. Work is counted in steps, never in
-- seconds: the same arguments give the same circles.
--
-- Gives the circle number of each person, null for who is left out.
--
-- requires: app.circle_count

create or replace function app.form_circles(
  p_people integer,
  p_size_min integer,
  p_size_target integer,
  p_size_max integer,
  p_wall_a integer[],
  p_wall_b integer[],
  p_met_a integer[],
  p_met_b integer[],
  p_met_cost integer[],
  p_seed bigint
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_seat_steps constant integer := 20000 + 4 * p_people;  -- of one search; 0.03 s
  c_all_seats  constant integer := 10 * c_seat_steps;     -- of all searches together
  c_swap_steps constant integer := 2000000;               -- pairs looked at; about a second
  v_random     bigint := abs(p_seed % 2147483647);
  v_walled     integer[];  -- the people with walls, most walls first
  v_wall_start integer[];
  v_wall_with  integer[];
  v_met_start  integer[];
  v_met_with   integer[];
  v_met_cost   integer[];
  v_circles    integer;
  v_circle_of  integer[] := array_fill(null::integer, array[p_people]);
  v_size       integer[];
  v_room       integer[];
  v_seat       integer[];
  v_seat_steps integer := c_all_seats;
  v_wall_rest  integer[];
  v_skip       integer := 0;  -- how many of those with the most walls are left out without a search
  v_left_out   integer;
  v_fillers    integer;
  v_person     integer;
  v_other      integer;
  v_rank       integer;
  v_improved   boolean;
  v_gain       integer;
  v_steps      integer := 0;
  v_here       integer;
  v_there      integer;
begin
  -- Neighbours as one flat list and where each one's part begins: walls by rank among the walled, meetings by person.
  with sides as (
    select distinct walls.a, walls.b
    from (
      select unnest(p_wall_a) as a, unnest(p_wall_b) as b
      union all
      select unnest(p_wall_b), unnest(p_wall_a)
    ) as walls
  ),

  ranks as (
    select counted.a as person, row_number() over (order by counted.walls desc, counted.a)::integer as rank
    from (select sides.a, count(*) as walls from sides group by sides.a) as counted
  )

  select
    array(select ranks.person from ranks order by ranks.rank),
    array(
      select 1 + coalesce(sum(count(sides.b)) over (order by ranks.rank rows between unbounded preceding and 1 preceding), 0)
      from ranks
      inner join sides on sides.a = ranks.person
      group by ranks.rank
      order by ranks.rank
    ),
    array(
      select others.rank
      from sides
      inner join ranks on ranks.person = sides.a
      inner join ranks as others on others.person = sides.b
      order by ranks.rank, others.rank
    )
  into v_walled, v_wall_start, v_wall_with;
  v_wall_start := v_wall_start || (cardinality(v_wall_with) + 1);
  v_fillers := p_people - cardinality(v_walled);

  with sides as (
    select unnest(p_met_a) as a, unnest(p_met_b) as b, unnest(p_met_cost) as cost
    union all
    select unnest(p_met_b), unnest(p_met_a), unnest(p_met_cost)
  ),

  counted as (
    select people.person, count(sides.a) as met
    from generate_series(1, p_people) as people (person)
    left join sides on sides.a = people.person
    group by people.person
  )

  select
    array(
      select 1 + coalesce(sum(counted.met) over (order by counted.person rows between unbounded preceding and 1 preceding), 0)
      from counted
      order by counted.person
    ),
    array(select sides.b from sides order by sides.a, sides.b),
    array(select sides.cost from sides order by sides.a, sides.b)
  into v_met_start, v_met_with, v_met_cost;
  v_met_start := v_met_start || (cardinality(v_met_with) + 1);

  -- Seats for those with walls.
  <<seating>>
  for v_out in 0 .. p_people loop
    v_left_out := v_out;
    v_circles := app.circle_count(p_people - v_out, p_size_min, p_size_target, p_size_max);
    continue when v_circles is null;

    -- Balanced: the first circles take one more, if the number does not divide.
    v_room := array(
      select (p_people - v_out) / v_circles + case when circle <= (p_people - v_out) % v_circles then 1 else 0 end
      from generate_series(1, v_circles) as numbers (circle)
    );
    v_seat := app.seat_walled(
      cardinality(v_walled), v_wall_start, v_wall_with, v_fillers, v_circles, v_room, p_size_min, v_out,
      v_random, c_seat_steps
    );
    exit seating when v_seat is not null;

    -- Any sizes, any number of circles, the usual number first.
    for v_circles in
      select numbers.circles
      from generate_series(
        (p_people - v_out + p_size_max - 1) / p_size_max, (p_people - v_out) / p_size_min
      ) as numbers (circles)
      order by abs(numbers.circles - v_circles), numbers.circles
    loop
      v_room := array_fill(p_size_max, array[v_circles]);
      v_seat := app.seat_walled(
        cardinality(v_walled), v_wall_start, v_wall_with, v_fillers, v_circles, v_room, p_size_min, v_out,
        null, least(c_seat_steps, v_seat_steps)
      );
      exit seating when v_seat is not null;
      v_seat_steps := v_seat_steps - c_seat_steps;
      exit seating when v_seat_steps <= 0;
    end loop;
  end loop;

  -- Nothing found in the work allowed, or nobody to place: leave out those with the most walls, twice as many each time,
  -- until the others can sit. So who puts up a wall against everybody parts themselves from the others, and nobody else.
  while v_seat is null loop
    v_left_out := v_skip;
    while v_left_out < p_people
      and app.circle_count(p_people - v_left_out, p_size_min, p_size_target, p_size_max) is null loop
      v_left_out := v_left_out + 1;
    end loop;
    v_circles := coalesce(app.circle_count(p_people - v_left_out, p_size_min, p_size_target, p_size_max), 0);
    exit when v_circles = 0;

    -- The walls of the others, by their new ranks; a rank below 1 is nobody's.
    v_wall_rest := array(
      select walls.rank - v_skip
      from unnest(v_wall_with) with ordinality as walls (rank, number)
      order by walls.number
    );
    v_room := array(
      select (p_people - v_left_out) / v_circles + case when circle <= (p_people - v_left_out) % v_circles then 1 else 0 end
      from generate_series(1, v_circles) as numbers (circle)
    );
    v_seat := app.seat_walled(
      cardinality(v_walled) - v_skip, v_wall_start[v_skip + 1:], v_wall_rest, v_fillers, v_circles, v_room, p_size_min,
      v_left_out - v_skip, v_random, c_seat_steps
    );
    if v_seat is null then
      -- As many circles as there can be: those with walls find room most easily.
      v_circles := (p_people - v_left_out) / p_size_min;
      v_room := array_fill(p_size_max, array[v_circles]);
      v_seat := app.seat_walled(
        cardinality(v_walled) - v_skip, v_wall_start[v_skip + 1:], v_wall_rest, v_fillers, v_circles, v_room, p_size_min,
        v_left_out - v_skip, null, c_seat_steps
      );
    end if;
    if v_seat is not null then
      v_seat := array_fill(0, array[v_skip]) || v_seat;
    end if;
    v_skip := least(greatest(1, 2 * v_skip), cardinality(v_walled));
  end loop;
  if v_circles = 0 then
    return v_circle_of;
  end if;

  v_size := array_fill(0, array[v_circles]);
  for v_rank in 1 .. cardinality(v_walled) loop
    if v_seat[v_rank] > 0 then
      v_circle_of[v_walled[v_rank]] := v_seat[v_rank];
      v_size[v_seat[v_rank]] := v_size[v_seat[v_rank]] + 1;
    else
      v_circle_of[v_walled[v_rank]] := 0;
      v_left_out := v_left_out - 1;
    end if;
  end loop;

  -- The others fill up level by level. The last of them are left out, if some must be.
  v_person := 0;
  v_fillers := v_fillers - v_left_out;
  <<filling>>
  for v_level in 1 .. p_size_max loop
    for v_circle in 1 .. v_circles loop
      exit filling when v_fillers <= 0;
      if v_size[v_circle] < v_level and v_size[v_circle] < v_room[v_circle] then
        loop
          v_person := v_person + 1;
          exit when v_circle_of[v_person] is null;
        end loop;
        v_circle_of[v_person] := v_circle;
        v_size[v_circle] := v_size[v_circle] + 1;
        v_fillers := v_fillers - 1;
      end if;
    end loop;
  end loop;

  -- Swaps. Each person with someone they have met changes places with the first one with whom both gain; whom to try
  -- first is drawn. Ends when a whole round finds none, or at the end of the work allowed.
  loop
    v_improved := false;
    for v_one in 1 .. p_people loop
      v_here := v_circle_of[v_one];
      continue when v_here is null or v_here = 0 or v_met_start[v_one] = v_met_start[v_one + 1];
      v_gain := 0;
      for v_at in v_met_start[v_one] .. v_met_start[v_one + 1] - 1 loop
        if v_circle_of[v_met_with[v_at]] = v_here then
          v_gain := v_gain + v_met_cost[v_at];
        end if;
      end loop;
      continue when v_gain = 0;

      v_random := (v_random * 1103515245 + 12345) % 2147483648;
      <<trying>>
      for v_try in 1 .. p_people loop
        v_other := 1 + (v_random + v_try) % p_people;
        v_there := v_circle_of[v_other];
        continue when v_there is null or v_there = 0 or v_there = v_here;
        v_steps := v_steps + 1 + v_met_start[v_one + 1] - v_met_start[v_one] + v_met_start[v_other + 1] - v_met_start[v_other];

        -- What the swap would cost less: together now, minus together then. The two of them are never together.
        v_gain := 0;
        for v_at in v_met_start[v_one] .. v_met_start[v_one + 1] - 1 loop
          if v_met_with[v_at] <> v_other then
            if v_circle_of[v_met_with[v_at]] = v_here then
              v_gain := v_gain + v_met_cost[v_at];
            elsif v_circle_of[v_met_with[v_at]] = v_there then
              v_gain := v_gain - v_met_cost[v_at];
            end if;
          end if;
        end loop;
        continue when v_gain <= 0 and v_met_start[v_other] = v_met_start[v_other + 1];
        for v_at in v_met_start[v_other] .. v_met_start[v_other + 1] - 1 loop
          if v_met_with[v_at] <> v_one then
            if v_circle_of[v_met_with[v_at]] = v_there then
              v_gain := v_gain + v_met_cost[v_at];
            elsif v_circle_of[v_met_with[v_at]] = v_here then
              v_gain := v_gain - v_met_cost[v_at];
            end if;
          end if;
        end loop;
        continue when v_gain <= 0;

        -- No swap through a wall.
        v_rank := array_position(v_walled, v_one);
        if v_rank is not null then
          for v_at in v_wall_start[v_rank] .. v_wall_start[v_rank + 1] - 1 loop
            v_person := v_walled[v_wall_with[v_at]];
            continue trying when v_person <> v_other and v_circle_of[v_person] = v_there;
          end loop;
        end if;
        v_rank := array_position(v_walled, v_other);
        if v_rank is not null then
          for v_at in v_wall_start[v_rank] .. v_wall_start[v_rank + 1] - 1 loop
            v_person := v_walled[v_wall_with[v_at]];
            continue trying when v_person <> v_one and v_circle_of[v_person] = v_here;
          end loop;
        end if;

        v_circle_of[v_one] := v_there;
        v_circle_of[v_other] := v_here;
        v_improved := true;
        exit trying;
      end loop;
      exit when v_steps > c_swap_steps;
    end loop;
    exit when not v_improved or v_steps > c_swap_steps;
  end loop;

  return array_replace(v_circle_of, 0, null);
end;
$function$;

comment on function app.form_circles(
  integer, integer, integer, integer, integer[], integer[], integer[], integer[], integer[], bigint
) is
'Who sits with whom: the circle number of each of p_people, null for who is left out. Walls and sizes always hold; the same arguments give the same circles.';

revoke all on function app.form_circles(
  integer, integer, integer, integer, integer[], integer[], integer[], integer[], integer[], bigint
) from public;
