-- app.seat_people(...): a circle for each person: walls, sizes, and who is left out. Not yet: whom they have met.
--
-- In this order of weight:
--   1. Walls hold: nobody sits with someone from whom a wall parts them.
--   2. Sizes hold, and as few as possible are left out: nobody, wherever a split into the allowed sizes exists.
--   3. Nobody is left out twice running, if anybody else could be.
--   4. Sizes are balanced: they differ by one at most, where the walls permit.
--
-- app.seat_walled() seats those with walls, first into balanced circles, then into any allowed sizes and numbers of
-- circles, then leaving out one more, then leaving out those with the most walls; all others fill up, the smallest circle
-- first. p_missed: how often each was left out of late, 100 more for who was so the last time.
--
-- Gives the circle number of each person, 0 for who is left out.
--
-- requires: app.circle_count

create or replace function app.seat_people(
  p_people integer,
  p_size_min integer,
  p_size_target integer,
  p_size_max integer,
  p_wall_a integer[],
  p_wall_b integer[],
  p_missed integer[],
  p_seed bigint
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_last_time  constant integer := 100;                   -- of p_missed: was left out the last time
  c_seat_steps constant integer := 20000 + 4 * p_people;  -- of one search; 0.03 s
  c_all_seats  constant integer := 10 * c_seat_steps;     -- of all searches together
  v_spread      bigint := abs(p_seed % 2147483647);
  v_walled      integer[];  -- the people with walls, most walls first
  v_wall_start  integer[];
  v_wall_with   integer[];
  v_kept        boolean[];  -- who of them was left out the last time
  v_people_kept integer := (select count(*) from unnest(p_missed) as people (missed) where people.missed >= c_last_time);
  v_circles     integer;
  v_circle_of   integer[] := array_fill(-1, array[p_people]);  -- not null: in an array with nulls each look counts from the first
  v_size        integer[];
  v_room        integer[];
  v_seat        integer[];
  v_seat_steps  integer := c_all_seats;
  v_wall_rest   integer[];
  v_skip        integer := 0;  -- how many of those with the most walls are left out without a search
  v_left_out    integer;
  v_fillers     integer;
  v_free        integer;       -- how many of them were not left out the last time
  v_person      integer;
begin
  -- Walls as one flat list and where each one's part begins, by rank among the walled.
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
  v_kept := array(
    select p_missed[ranks.person] >= c_last_time
    from unnest(v_walled) with ordinality as ranks (person, rank)
    order by ranks.rank
  );
  v_fillers := p_people - cardinality(v_walled);
  v_free := (
    select count(*)
    from unnest(p_missed) with ordinality as people (missed, person)
    where people.missed < c_last_time
      and people.person <> all(v_walled)
  );

  -- Seats for those with walls.
  <<seating>>
  for v_out in 0 .. p_people loop
    v_left_out := v_out;
    v_circles := app.circle_count(p_people - v_out, p_size_min, p_size_target, p_size_max);
    continue when v_circles is null;

    -- Nobody twice running; if that can't be, one; and so on.
    for v_kept_out in 0 .. least(v_out, v_people_kept) loop
      -- Balanced: the first circles take one more, if the number does not divide.
      v_circles := app.circle_count(p_people - v_out, p_size_min, p_size_target, p_size_max);
      v_room := array(
        select (p_people - v_out) / v_circles + case when circle <= (p_people - v_out) % v_circles then 1 else 0 end
        from generate_series(1, v_circles) as numbers (circle)
      );
      v_seat := app.seat_walled(
        cardinality(v_walled), v_wall_start, v_wall_with, v_fillers, v_circles, v_room, p_size_min, v_out,
        v_kept, v_free, v_kept_out, v_spread, c_seat_steps
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
          v_kept, v_free, v_kept_out, null, least(c_seat_steps, v_seat_steps)
        );
        exit seating when v_seat is not null;
        v_seat_steps := v_seat_steps - c_seat_steps;
        exit seating when v_seat_steps <= 0;
      end loop;
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
      v_left_out - v_skip, v_kept[v_skip + 1:], v_free, p_people, v_spread, c_seat_steps
    );
    if v_seat is null then
      -- As many circles as there can be: those with walls find room most easily.
      v_circles := (p_people - v_left_out) / p_size_min;
      v_room := array_fill(p_size_max, array[v_circles]);
      v_seat := app.seat_walled(
        cardinality(v_walled) - v_skip, v_wall_start[v_skip + 1:], v_wall_rest, v_fillers, v_circles, v_room, p_size_min,
        v_left_out - v_skip, v_kept[v_skip + 1:], v_free, p_people, null, c_seat_steps
      );
    end if;
    if v_seat is not null then
      v_seat := array_fill(0, array[v_skip]) || v_seat;
    end if;
    v_skip := least(greatest(1, 2 * v_skip), cardinality(v_walled));
  end loop;
  if v_circles = 0 then
    return array_fill(0, array[p_people]);
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

  -- Of the others those are left out who were so least of late, drawn among equals.
  foreach v_person in array array(
    select people.person
    from unnest(p_missed, v_circle_of) with ordinality as people (missed, circle, person)
    where people.circle = -1
    order by people.missed, hashint8extended(people.person, p_seed), people.person
    limit v_left_out
  ) loop
    v_circle_of[v_person] := 0;
  end loop;

  -- The rest fill up level by level, in their order: so what is alike and was put side by side is dealt to many circles.
  v_person := 0;
  v_fillers := v_fillers - v_left_out;
  <<filling>>
  for v_level in 1 .. p_size_max loop
    for v_circle in 1 .. v_circles loop
      exit filling when v_fillers <= 0;
      if v_size[v_circle] < v_level and v_size[v_circle] < v_room[v_circle] then
        loop
          v_person := v_person + 1;
          exit when v_circle_of[v_person] = -1;
        end loop;
        v_circle_of[v_person] := v_circle;
        v_size[v_circle] := v_size[v_circle] + 1;
        v_fillers := v_fillers - 1;
      end if;
    end loop;
  end loop;

  return v_circle_of;
end;
$function$;

comment on function app.seat_people(
  integer, integer, integer, integer, integer[], integer[], integer[], bigint
) is
'A circle for each of p_people, 0 for who is left out: walls and sizes hold, nobody is left out twice running without need.';

revoke all on function app.seat_people(
  integer, integer, integer, integer, integer[], integer[], integer[], bigint
) from public;
