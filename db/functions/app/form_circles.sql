-- app.form_circles(...): who sits with whom. The whole of the matching that needs no table.
--
-- People are numbers, drawn into that order by the caller, and sit where app.seat_people() gave each a circle (p_seats), by
-- walls, sizes and fairness. Then people of two circles change places as long as that lessens the sum of the costs: of pairs
-- (p_pair_cost, each pair once), of those likely to be missing (p_risk, how many may be; the square of their sum in each
-- circle), of people of the same class (p_class) in one circle. A wall is a pair that costs more than all else could.
--
-- p_pool: only these change places, and of the others not all pairs are given. Null: everybody, and all pairs.
--
-- Among few people (app.swap_by_matrix) every pair's cost is at hand, and those who have not met have one, too: of two
-- rounds without a repeat that one is better which puts together people with few acquaintances in common. It leaves
-- more whole circles of strangers for the rounds to come. Among many (app.swap_by_lists) few have met, and only they are
-- looked at; where that does not part them all, the list is still short enough for the matrix up to c_most people.
--
-- Work is counted in steps, never in seconds: the same arguments give the same circles.
-- Gives the circle number of each person, 0 for who is left out (an array with nulls is slow to look into), and the steps.

create or replace function app.form_circles(
  p_seats integer[],
  p_size_min integer,
  p_size_max integer,
  p_wall_a integer[],
  p_wall_b integer[],
  p_pair_a integer[],
  p_pair_b integer[],
  p_pair_cost integer[],
  p_pool integer[],
  p_risk integer[],
  p_class integer[],
  p_seed bigint,
  out circles integer[],
  out steps integer
)
returns record
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_weight  constant jsonb := app.match_weights();
  c_wall    constant integer := (c_weight ->> 'wall')::integer;    -- twenty of them are still an integer
  c_repeat  constant integer := (c_weight ->> 'repeat')::integer;  -- from here on a pair is a repeat
  c_near    constant integer := (c_weight ->> 'near')::integer;
  c_risk    constant integer := (c_weight ->> 'risk')::integer;
  c_class   constant integer := (c_weight ->> 'mix')::integer;
  c_few     constant integer := 256;
  c_most    constant integer := 1000;
  c_tiny    constant integer := 64;        -- here no swap is left that helps
  v_pair_a  integer[] := p_pair_a || p_wall_a;
  v_pair_b  integer[] := p_pair_b || p_wall_b;
  v_cost    integer[] := p_pair_cost || array_fill(c_wall, array[cardinality(p_wall_a)]);
  v_people  integer := cardinality(p_seats);
  v_seats   integer[] := p_seats;
  v_start   integer[];
  v_free    integer[];
  v_budget  integer;
  v_more    integer;
  v_repeats integer;
  v_turned  integer[];
  v_best    integer[];
  v_cost_now  integer;
  v_cost_best integer;
begin
  steps := 0;
  if not exists (select from unnest(v_seats) as seats (circle) where seats.circle > 1) then
    circles := v_seats;
    return;
  end if;

  if v_people > c_few then
    select swapped.circle_of, swapped.steps
    into v_seats, steps
    from app.swap_by_lists(
      v_seats, p_size_min, v_pair_a, v_pair_b, v_cost, p_pool, p_class, c_class, p_risk, c_risk, 2000000, p_seed
    ) as swapped;
  end if;

  if v_people <= c_few or (
    v_people <= c_most and p_pool is null and exists (
      select
      from unnest(p_pair_a, p_pair_b, p_pair_cost) as pairs (a, b, cost)
      where pairs.cost >= c_repeat
        and v_seats[pairs.a] = v_seats[pairs.b]
        and v_seats[pairs.a] > 0
    )
  ) then
    v_start := array_fill(1, array[v_people + 1]);
    v_free := '{}';
    if v_people <= c_few then
      -- What every two cost, and whom each has not met.
      with pairs as (
        select least(known.a, known.b) as a, greatest(known.a, known.b) as b, max(known.cost) as cost
        from unnest(v_pair_a, v_pair_b, v_cost) as known (a, b, cost)
        group by 1, 2
      ),

      sides as materialized (
        select pairs.a as person, pairs.b as other from pairs
        union all
        select pairs.b, pairs.a from pairs
      ),

      -- Whom each has met, as a string of bits: common acquaintances are a matter of one operation.
      rows as materialized (
        select
          people.person,
          string_agg(case when sides.other is null then '0' else '1' end, '' order by others.person)::varbit as met,
          array_agg(others.person order by others.person)
            filter (where sides.other is null and others.person <> people.person) as free
        from generate_series(1, v_people) as people (person)
        cross join generate_series(1, v_people) as others (person)
        left join sides on sides.person = people.person and sides.other = others.person
        group by people.person
      ),

      costs as (
        select
          ones.person as a,
          others.person as b,
          coalesce(
            pairs.cost, c_near * 32 * bit_count(ones.met & others.met)::integer / (v_people * greatest(32, v_people))
          )
          + case when p_class[ones.person] = p_class[others.person] and p_class_count > 1 then c_class else 0 end as cost
        from rows as ones
        inner join rows as others on others.person > ones.person
        left join pairs on pairs.a = ones.person and pairs.b = others.person
        cross join (select max(classes.class) as p_class_count from unnest(p_class) as classes (class)) as counted
      )

      select
        array(select costs.a from costs where costs.cost > 0 order by costs.a, costs.b),
        array(select costs.b from costs where costs.cost > 0 order by costs.a, costs.b),
        array(select costs.cost from costs where costs.cost > 0 order by costs.a, costs.b),
        array(select unnest(rows.free) from rows order by rows.person),
        array(
          select 1 + coalesce(
            sum(cardinality(rows.free)) over (order by rows.person rows between unbounded preceding and 1 preceding), 0
          )
          from rows
          order by rows.person
        )
      into v_pair_a, v_pair_b, v_cost, v_free, v_start;
      v_start := v_start || (cardinality(v_free) + 1);
    end if;

    -- Among very few once more, if somebody still meets again; and a third time, if it is one pair or two, which mostly can
    -- be parted. At last every swap of two that helps. (Measured: four times the steps part no more of them.)
    v_budget := least(
      100 * v_people * v_people,
      case
        when v_people <= c_tiny then 32000
        else greatest(40000, 600 * v_people + 2400 * (cardinality(p_pair_a) / v_people))  -- more where more have met
      end
    );
    for v_turn in 1 .. case when v_people <= c_tiny then 4 else 1 end loop
      v_repeats := (
        select count(*)
        from unnest(p_pair_a, p_pair_b, p_pair_cost) as pairs (a, b, cost)
        where pairs.cost >= c_repeat
          and v_best[pairs.a] = v_best[pairs.b]
          and v_best[pairs.a] > 0
      );
      continue when (v_turn = 2 and v_repeats = 0) or (v_turn = 3 and v_repeats not between 1 and 2);
      select swapped.circle_of, swapped.cost, swapped.steps
      into v_turned, v_cost_now, v_more
      from app.swap_by_matrix(
        case when v_turn = 4 then v_best else v_seats end, p_size_min, p_size_max, v_pair_a, v_pair_b, v_cost, v_start,
        v_free, p_risk, c_risk, case when v_turn = 4 then 0 else v_budget end, p_seed # v_turn
      ) as swapped;
      steps := steps + v_more;
      if v_turn = 1 or v_cost_now < v_cost_best then
        v_best := v_turned;
        v_cost_best := v_cost_now;
      end if;
    end loop;
    v_seats := v_best;
  end if;

  circles := v_seats;
end;
$function$;

comment on function app.form_circles(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer[], integer[],
  bigint
) is
'Better circles than p_seats: the circle number of each person, 0 for who is left out; and the steps it took. Walls and sizes hold as before; the same arguments give the same circles.';

revoke all on function app.form_circles(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer[], integer[],
  bigint
) from public;
