-- app.swap_by_matrix(...): better circles for few people, by swaps of two; what every pair costs is at hand.
--
-- Annealing: a person and one of another circle change places if that costs less, and now and then if it costs more: often
-- at first, never at the end. So it leaves a place where no single swap helps and a second one would. A person whom nobody
-- here troubles is mostly passed over (two thirds of the work saved), and most swaps aim at somebody not met yet (p_free):
-- where few such are left, a blind swap would seldom find one.
--
-- Chairs are numbered circle by circle, p_width to each, a multiple of five: sums are written out for five chairs at once,
-- for PL/pgSQL takes longer over a turn of a loop than over an addition (measured: a third of the time). Person 0, the
-- empty chair, costs nothing. A swap's cost is told from v_own, what each costs where they sit.
--
-- p_steps 0: nothing is drawn; every two are tried in turn, until no swap is left that helps.
--
-- Work is counted in steps, and all that is drawn comes from p_seed: the same arguments give the same circles.
-- Gives the best circles seen (0 = left out, as it was), their cost and the steps done.

create or replace function app.swap_by_matrix(
  p_circle_of integer[],
  p_size_min integer,
  p_size_max integer,
  p_pair_a integer[],
  p_pair_b integer[],
  p_pair_cost integer[],
  p_free_start integer[],
  p_free integer[],
  p_risk integer[],
  p_risk_cost integer,
  p_steps integer,
  p_seed bigint,
  out circle_of integer[],
  out cost integer,
  out steps integer
)
returns record
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- Less is not worth a visit each time; among so few that all the past is shared, everything is.
  c_trouble constant integer := case when cardinality(p_circle_of) <= 64 then 0 else 500 end;
  c_heat    constant integer := 200;   -- how much worse a swap may be at first, as a rule
  v_people  integer := cardinality(p_circle_of);
  v_circles integer := (select max(seats.circle) from unnest(p_circle_of) as seats (circle));
  v_width   integer := (p_size_max + 4) / 5 * 5;
  v_seat    integer[] := array_fill(0, array[v_circles * v_width]);      -- chair -> person
  v_where   integer[] := array_fill(0, array[v_people]);                 -- person -> chair
  v_size    integer[] := array_fill(0, array[v_circles]);
  v_cost    integer[] := array_fill(0, array[v_people + 1, v_people + 1], array[0, 0]);
  v_own     integer[] := array_fill(0, array[v_people]);
  v_risk    integer[];                                                   -- circle -> what its people may miss
  v_thin    integer := (select least(1, max(people.risk)) from unnest(p_risk) as people (risk));
  v_luck    integer[];
  v_total   integer := 0;
  v_best    integer;
  v_best_at integer[];                                                   -- v_where then
  v_hash    bigint;
  v_step    integer := 0;
  v_last    integer;
  v_a       integer;
  v_b       integer;
  v_a_seat  integer;
  v_b_seat  integer;
  v_here    integer;      -- the chair before the first of the circle of v_a
  v_there   integer;
  v_count   integer;
  v_differ  integer;
  v_change  integer;
  v_mate    integer;
begin
  for v_person in 1 .. v_people loop
    continue when p_circle_of[v_person] = 0;
    v_here := p_circle_of[v_person];
    v_size[v_here] := v_size[v_here] + 1;
    v_where[v_person] := (v_here - 1) * v_width + v_size[v_here];
    v_seat[v_where[v_person]] := v_person;
  end loop;
  for v_at in 1 .. cardinality(p_pair_a) loop
    v_cost[p_pair_a[v_at]][p_pair_b[v_at]] := p_pair_cost[v_at];
    v_cost[p_pair_b[v_at]][p_pair_a[v_at]] := p_pair_cost[v_at];
  end loop;

  -- A circle of the least size can miss nobody: that counts like one more who may not come, if there is any.
  v_risk := array(
    select case when sizes.size <= p_size_min then v_thin else 0 end
    from unnest(v_size) with ordinality as sizes (size, circle)
    order by sizes.circle
  );
  for v_person in 1 .. v_people loop
    continue when v_where[v_person] = 0;
    v_here := (v_where[v_person] - 1) / v_width;
    v_risk[v_here + 1] := v_risk[v_here + 1] + p_risk[v_person];
    for v_at in v_here * v_width + 1 .. v_here * v_width + v_size[v_here + 1] loop
      v_own[v_person] := v_own[v_person] + v_cost[v_person][v_seat[v_at]];
    end loop;
    v_total := v_total + v_own[v_person];
  end loop;
  v_total := v_total / 2 + p_risk_cost * (select sum(risks.risk * risks.risk) from unnest(v_risk) as risks (risk))::integer;
  v_best := v_total;
  v_best_at := v_where;
  v_luck := array(
    select (-ln((numbers.number - 0.5) / 256) * c_heat)::integer from generate_series(1, 256) as numbers (number)
  );
  v_last := case when p_steps = 0 then v_people * v_people else p_steps end;

  while v_step < v_last and v_total > 0 loop
    v_step := v_step + 1;
    if p_steps > 0 then
      v_hash := hashint8extended(v_step, p_seed) & 9223372036854775807;
      v_a := 1 + v_hash % v_people;
      v_a_seat := v_where[v_a];
      continue when v_a_seat = 0 or (v_own[v_a] < c_trouble and (v_hash >> 40) & 7 > 0);

      v_count := p_free_start[v_a + 1] - p_free_start[v_a];
      if v_count > 0 and (v_hash >> 43) & 7 > 0 then
        -- Beside somebody not met yet, in the place of one of their mates.
        v_mate := v_where[p_free[p_free_start[v_a] + (v_hash >> 8) % v_count]];
        continue when v_mate = 0;
        v_there := (v_mate - 1) / v_width;
        v_count := v_size[v_there + 1];
        v_there := v_there * v_width;
        v_b_seat := v_there + 1 + (v_mate - v_there + (v_hash >> 46) % (v_count - 1)) % v_count;
        v_b := v_seat[v_b_seat];
      else
        v_b := 1 + (v_hash >> 8) % v_people;
        v_b_seat := v_where[v_b];
        continue when v_b_seat = 0;
        v_there := (v_b_seat - 1) / v_width * v_width;
      end if;
    else
      v_a := 1 + (v_step - 1) / v_people % v_people;
      v_b := 1 + (v_step - 1) % v_people;
      v_a_seat := v_where[v_a];
      v_b_seat := v_where[v_b];
      continue when v_a >= v_b or v_a_seat = 0 or v_b_seat = 0;
      v_there := (v_b_seat - 1) / v_width * v_width;
    end if;
    v_here := (v_a_seat - 1) / v_width * v_width;
    continue when v_here = v_there;

    v_change := -2 * v_cost[v_a][v_b] - v_own[v_a] - v_own[v_b];
    for v_at in 1 .. v_width by 5 loop
      v_change := v_change
        + v_cost[v_b][v_seat[v_here + v_at]]
        + v_cost[v_b][v_seat[v_here + v_at + 1]]
        + v_cost[v_b][v_seat[v_here + v_at + 2]]
        + v_cost[v_b][v_seat[v_here + v_at + 3]]
        + v_cost[v_b][v_seat[v_here + v_at + 4]]
        + v_cost[v_a][v_seat[v_there + v_at]]
        + v_cost[v_a][v_seat[v_there + v_at + 1]]
        + v_cost[v_a][v_seat[v_there + v_at + 2]]
        + v_cost[v_a][v_seat[v_there + v_at + 3]]
        + v_cost[v_a][v_seat[v_there + v_at + 4]];
    end loop;
    v_differ := p_risk[v_a] - p_risk[v_b];
    if v_differ <> 0 then
      v_change := v_change
        + 2 * p_risk_cost * v_differ * (v_risk[v_there / v_width + 1] - v_risk[v_here / v_width + 1] + v_differ);
    end if;
    if p_steps > 0 then
      continue when v_change > 0
        and v_change::bigint * p_steps > v_luck[1 + (v_hash >> 55)]::bigint * (p_steps - v_step);
    else
      continue when v_change >= 0;
      v_last := v_step + v_people * v_people;  -- once more all of them
    end if;

    -- Change places.
    v_own[v_a] := 0;
    v_own[v_b] := 0;
    for v_at in 1 .. v_size[v_here / v_width + 1] loop
      v_mate := v_seat[v_here + v_at];
      if v_mate <> v_a then
        v_own[v_mate] := v_own[v_mate] + v_cost[v_mate][v_b] - v_cost[v_mate][v_a];
        v_own[v_b] := v_own[v_b] + v_cost[v_mate][v_b];
      end if;
    end loop;
    for v_at in 1 .. v_size[v_there / v_width + 1] loop
      v_mate := v_seat[v_there + v_at];
      if v_mate <> v_b then
        v_own[v_mate] := v_own[v_mate] + v_cost[v_mate][v_a] - v_cost[v_mate][v_b];
        v_own[v_a] := v_own[v_a] + v_cost[v_mate][v_a];
      end if;
    end loop;
    v_seat[v_a_seat] := v_b;
    v_seat[v_b_seat] := v_a;
    v_where[v_a] := v_b_seat;
    v_where[v_b] := v_a_seat;
    if v_differ <> 0 then
      v_risk[v_here / v_width + 1] := v_risk[v_here / v_width + 1] - v_differ;
      v_risk[v_there / v_width + 1] := v_risk[v_there / v_width + 1] + v_differ;
    end if;
    v_total := v_total + v_change;
    if v_total < v_best then
      v_best := v_total;
      v_best_at := v_where;
    end if;
  end loop;

  steps := v_step;
  cost := v_best;
  circle_of := array(
    select (chairs.chair + v_width - 1) / v_width
    from unnest(v_best_at) with ordinality as chairs (chair, person)
    order by chairs.person
  );
end;
$function$;

comment on function app.swap_by_matrix(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer, integer,
  bigint
) is
'Better circles for few people, by annealing within p_steps; with p_steps 0 every swap of two that helps is made.';

revoke all on function app.swap_by_matrix(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer, integer,
  bigint
) from public;
