-- Better circles for few people: swaps of two, drawn or all in turn.

begin;
select plan(13);

select volatility_is('app', 'swap_by_matrix', array['integer[]', 'integer', 'integer', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer', 'integer', 'bigint'],
  'immutable', 'no table, no clock');
select tests.may_call('app.swap_by_matrix(integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer, integer, bigint)', '{}');

create function tests.swapped(p_circles integer[], p_pairs text, p_steps integer default 2000, p_risk integer[] default null, p_seed bigint default 1, p_max integer default 5)
returns table (circle_of integer[], cost integer, steps integer) language sql as $$
  select * from app.swap_by_matrix(p_circles, 3, p_max,
    array(select split_part(pair, '-', 1)::integer from unnest(string_to_array(p_pairs, ' ')) as pairs (pair)),
    array(select split_part(pair, '-', 2)::integer from unnest(string_to_array(p_pairs, ' ')) as pairs (pair)),
    array(select split_part(pair, '-', 3)::integer from unnest(string_to_array(p_pairs, ' ')) as pairs (pair)),
    array_fill(1, array[cardinality(p_circles) + 1]), '{}', coalesce(p_risk, array_fill(0, array[cardinality(p_circles)])), 50, p_steps, p_seed)
$$;

select is(swapped.steps, 0, 'where nothing costs anything nothing is tried') from tests.swapped('{1,1,1,2,2,2}', '') as swapped;
select ok(circle_of[1] <> circle_of[2] and cost = 0, 'two who have met are parted, with ' || steps || ' steps') from unnest(array[0, 2000]) as n (allowed) cross join lateral tests.swapped('{1,1,1,2,2,2}', '1-2-1000', allowed) as swapped;
select is(circle_of, '{1,1,1,2,2,2}', 'and left where all have met') from tests.swapped('{1,1,1,2,2,2}', (select string_agg(a || '-' || b || '-1000', ' ') from generate_series(1, 6) as a, generate_series(1, 6) as b where a < b)) as swapped;
select ok(circle_of[1] = circle_of[4] and cost = 1000, 'the cheapest that there is, though two swaps lead there and the first does not help')
from tests.swapped('{1,1,2,2}', '1-2-3000 3-4-3000 1-3-2500 2-4-2500 1-4-500 2-3-500', 2000) as swapped;
select is(circle_of[7], 0, 'who was left out stays so') from tests.swapped('{1,1,1,2,2,2,0}', '1-2-1000 1-7-1000') as swapped;
select is((select array_agg(people order by circle) from (select circle, count(*)::integer as people from unnest(circle_of) as seats (circle) group by circle) as sizes), '{7,6,6}', 'sizes stay, also above five')
from tests.swapped('{1,1,1,1,1,1,1,2,2,2,2,2,2,3,3,3,3,3,3}', '1-2-1000 3-4-1000 8-9-1000', p_max => 8) as swapped;
select ok(circle_of[1] <> circle_of[2], 'two who may not come are spread') from tests.swapped('{1,1,1,1,2,2,2,2}', '', 2000, '{1,1,0,0,0,0,0,0}') as swapped;
select is(circle_of[1], 1, 'into the circle that can miss one') from tests.swapped('{1,2,1,1,1,2,2}', '', 2000, '{0,1,0,0,0,0,0}') as swapped(c, cost, steps) cross join lateral (select array[c[2]] as circle_of) as first;
select is(a.circle_of, b.circle_of, 'the same seed gives the same circles') from tests.swapped('{1,1,1,2,2,2}', '1-2-1000') as a, tests.swapped('{1,1,1,2,2,2}', '1-2-1000') as b;
select lives_ok($$ select tests.swapped('{1,1,1,2,2,2}', '1-2-1000', p_seed => seed) from unnest(array[0, -1, 9223372036854775807, -9223372036854775808]) as seeds (seed) $$, 'any seed will do');

select * from finish();
rollback;
