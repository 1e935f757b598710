-- app.swap_by_lists(...): better circles for many people, by swaps of those who sit with somebody they should not.
--
-- Among many, few have met (p_pair_*: each pair once). So the cost follows people and pairs, never people squared: each
-- person in trouble changes places with the first one drawn with whom both together do better. The rest stays as it was
-- dealt, and is not even looked at: in each round lists are made only for those in trouble and some drawn to help. Ends when
-- nobody is in trouble, or nothing has helped for a while, or after p_steps (pairs looked at).
--
-- p_pool: only these change places, and only their pairs need to be given; null: everybody.
--
-- p_class: what the campus mixes; two of the same class in one circle cost p_class_cost. p_risk: how likely each is missing.
-- The same arguments give the same circles. Gives the circles (0 = left out, as it was) and the steps done.

create or replace function app.swap_by_lists(
  p_circle_of integer[],
  p_size_min integer,
  p_pair_a integer[],
  p_pair_b integer[],
  p_pair_cost integer[],
  p_pool integer[],
  p_class integer[],
  p_class_cost integer,
  p_risk integer[],
  p_risk_cost integer,
  p_steps integer,
  p_seed bigint,
  out circle_of integer[],
  out steps integer
)
returns record
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_trouble constant integer := 500;  -- less is not worth a visit
  c_tries   constant integer := 200;  -- others drawn for one person in a round
  c_rounds  constant integer := 8;
  c_pool    constant integer := 64;   -- others at hand, at least; one for each in trouble
  v_people  integer := cardinality(p_circle_of);
  v_may     integer[] := coalesce(p_pool, array(select generate_series(1, cardinality(p_circle_of))));
  v_circle  integer[] := p_circle_of;
  v_trouble integer[];
  v_pool    integer[];
  v_start   integer[];
  v_end     integer[];
  v_whose   integer[] := p_pair_a;
  v_with    integer[] := p_pair_b;
  v_price   integer[] := p_pair_cost;
  v_bad     integer[];                -- which of these sit together and should not
  v_risk    integer[];
  v_members integer[];                -- how many of each class sit in each circle
  v_classes integer := (select max(classes.class) from unnest(p_class) as classes (class));
  v_circles integer := (select max(seats.circle) from unnest(p_circle_of) as seats (circle));
  v_steps   bigint := 0;
  v_draw    bigint := 0;
  v_other   integer;
  v_here    integer;
  v_there   integer;
  v_own     integer;
  v_change  integer;
  v_differ  integer;
  v_one    integer;
begin
  <<rounds>>
  for v_round in 1 .. c_rounds loop
    -- Who sits with somebody they should not: of all pairs at first, then of the lists, for whoever is still in trouble was so
    -- before, or was moved, or sits with somebody who was. A loop takes half the time of a join.
    v_bad := '{}';
    for v_at in 1 .. cardinality(v_whose) loop
      if v_circle[v_whose[v_at]] = v_circle[v_with[v_at]] and v_price[v_at] >= c_trouble and v_circle[v_whose[v_at]] > 0 then
        v_bad := v_bad || v_at;
      end if;
    end loop;
    v_trouble := array(
      select sides.person
      from unnest(v_bad) as pairs (at)
      cross join lateral (values (v_whose[pairs.at]), (v_with[pairs.at])) as sides (person)
      where sides.person = any(v_may)
      group by sides.person
      order by max(v_price[pairs.at]) desc, sides.person
    );
    exit rounds when v_trouble = '{}';

    -- Those, and some more drawn to change places with them: whom each has a price with, as one flat list and where each
    -- one's part begins.
    v_pool := v_trouble || array(
      select drawn.person
      from (
        select distinct v_may[
            1 + (hashint8extended(draws.draw, p_seed # v_round) & 9223372036854775807) % cardinality(v_may)
          ] as person
        from generate_series(1, greatest(c_pool, cardinality(v_trouble))) as draws (draw)
      ) as drawn
      where drawn.person <> all(v_trouble)
      order by drawn.person
    );
    v_start := array_fill(1, array[v_people]);
    v_end := array_fill(0, array[v_people]);
    with sides as (
      select pairs.a as person, pairs.b as other, pairs.cost
      from (select unnest(p_pair_a) as a, unnest(p_pair_b) as b, unnest(p_pair_cost) as cost) as pairs
      where pairs.a = any(v_pool)
      union all
      select pairs.b, pairs.a, pairs.cost
      from (select unnest(p_pair_a) as a, unnest(p_pair_b) as b, unnest(p_pair_cost) as cost) as pairs
      where pairs.b = any(v_pool)
    ),

    sorted as (
      select sides.person, sides.other, sides.cost from sides order by sides.person, sides.other
    )

    select array_agg(sorted.person), array_agg(sorted.other), array_agg(sorted.cost)
    into v_whose, v_with, v_price
    from sorted;
    for v_at in 1 .. cardinality(v_whose) loop
      if v_end[v_whose[v_at]] = 0 then
        v_start[v_whose[v_at]] := v_at;
      end if;
      v_end[v_whose[v_at]] := v_at;
    end loop;

    -- The first time: what each circle holds.
    if v_round = 1 then
      v_risk := array(
        select sum(p_risk[seats.person]) + case when count(*) <= p_size_min then 1 else 0 end
        from unnest(p_circle_of) with ordinality as seats (circle, person)
        where seats.circle > 0
        group by seats.circle
        order by seats.circle
      );
      v_members := array_fill(0, array[v_classes, v_circles]);
      if v_classes > 1 then
        for v_person in 1 .. v_people loop
          v_here := v_circle[v_person];
          continue when v_here = 0;
          v_members[p_class[v_person]][v_here] := v_members[p_class[v_person]][v_here] + 1;
        end loop;
      end if;
    end if;

    foreach v_one in array v_trouble loop
      v_here := v_circle[v_one];
      v_own := 0;
      for v_at in v_start[v_one] .. v_end[v_one] loop
        if v_circle[v_with[v_at]] = v_here then
          v_own := v_own + v_price[v_at];
        end if;
      end loop;
      continue when v_own < c_trouble;  -- somebody else has left

      for v_try in 1 .. c_tries loop
        v_draw := v_draw + 1;
        v_other := v_pool[1 + (hashint8extended(v_draw, p_seed) & 9223372036854775807) % cardinality(v_pool)];
        v_there := v_circle[v_other];
        continue when v_there = 0 or v_there = v_here;
        v_steps := v_steps + 3 + v_end[v_one] - v_start[v_one] + v_end[v_other] - v_start[v_other];

        v_change := -v_own;
        for v_at in v_start[v_one] .. v_end[v_one] loop
          if v_circle[v_with[v_at]] = v_there and v_with[v_at] <> v_other then
            v_change := v_change + v_price[v_at];
          end if;
        end loop;
        continue when v_change >= 0;
        for v_at in v_start[v_other] .. v_end[v_other] loop
          if v_circle[v_with[v_at]] = v_here then
            if v_with[v_at] <> v_one then
              v_change := v_change + v_price[v_at];
            end if;
          elsif v_circle[v_with[v_at]] = v_there then
            v_change := v_change - v_price[v_at];
          end if;
        end loop;
        v_differ := p_risk[v_one] - p_risk[v_other];
        if v_differ <> 0 then
          v_change := v_change + 2 * p_risk_cost * v_differ * (v_risk[v_there] - v_risk[v_here] + v_differ);
        end if;
        if p_class[v_one] <> p_class[v_other] then
          v_change := v_change + p_class_cost * (
            v_members[p_class[v_one]][v_there] - v_members[p_class[v_one]][v_here]
            + v_members[p_class[v_other]][v_here] - v_members[p_class[v_other]][v_there] + 2
          );
        end if;
        continue when v_change >= 0;

        v_circle[v_one] := v_there;
        v_circle[v_other] := v_here;
        if v_differ <> 0 then
          v_risk[v_here] := v_risk[v_here] - v_differ;
          v_risk[v_there] := v_risk[v_there] + v_differ;
        end if;
        if p_class[v_one] <> p_class[v_other] then
          v_members[p_class[v_one]][v_here] := v_members[p_class[v_one]][v_here] - 1;
          v_members[p_class[v_one]][v_there] := v_members[p_class[v_one]][v_there] + 1;
          v_members[p_class[v_other]][v_there] := v_members[p_class[v_other]][v_there] - 1;
          v_members[p_class[v_other]][v_here] := v_members[p_class[v_other]][v_here] + 1;
        end if;
        exit;
      end loop;
      exit rounds when v_steps > p_steps;
    end loop;
  end loop;

  circle_of := v_circle;
  steps := v_steps;
end;
$function$;

comment on function app.swap_by_lists(
  integer[], integer, integer[], integer[], integer[], integer[], integer[], integer, integer[], integer, integer,
  bigint
) is
'Better circles for many people: those who sit with somebody they should not change places, within p_steps.';

revoke all on function app.swap_by_lists(
  integer[], integer, integer[], integer[], integer[], integer[], integer[], integer, integer[], integer, integer,
  bigint
) from public;
