-- Better circles for many people: only those in trouble move.

begin;
select plan(13);

select volatility_is('app', 'swap_by_lists', array['integer[]', 'integer', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer', 'integer[]', 'integer', 'integer', 'bigint'],
  'immutable', 'no table, no clock');
select tests.may_call('app.swap_by_lists(integer[], integer, integer[], integer[], integer[], integer[], integer[], integer, integer[], integer, integer, bigint)', '{}');

-- Three hundred people in circles of three, one after the other.
create function tests.swapped(p_pairs text, p_steps integer default 100000, p_risk integer[] default array_fill(0, array[300]), p_class integer[] default array_fill(1, array[300]), p_seed bigint default 1, p_pool integer[] default null)
returns table (circle_of integer[], steps integer) language sql as $$
  select swapped.* from (select array_agg((person + 2) / 3 order by person) as circles from generate_series(1, 300) as people (person)) as seated
  cross join lateral app.swap_by_lists(seated.circles, 3,
    array(select split_part(pair, '-', 1)::integer from unnest(string_to_array(p_pairs, ' ')) as pairs (pair)),
    array(select split_part(pair, '-', 2)::integer from unnest(string_to_array(p_pairs, ' ')) as pairs (pair)),
    array(select split_part(pair, '-', 3)::integer from unnest(string_to_array(p_pairs, ' ')) as pairs (pair)),
    p_pool, p_class, 20, p_risk, 50, p_steps, p_seed) as swapped
$$;

select is(steps, 0, 'nobody in trouble, nothing done') from tests.swapped('1-4-1000');
select ok(circle_of[1] <> circle_of[2] and circle_of[4] <> circle_of[5], 'two pairs that have met are parted') from tests.swapped('1-2-1000 4-5-1000');
select is((select count(*)::integer from unnest(circle_of) with ordinality as seats (circle, person) where circle <> (person + 2) / 3), 2, 'and one other moves, no more') from tests.swapped('1-2-1000');
select is(circle_of[1], circle_of[2], 'what is hardly worth it stays') from tests.swapped('1-2-100');
select is(circle_of[1], circle_of[2], 'and who has met everybody stays') from tests.swapped((select string_agg('1-' || other || '-1000', ' ') from generate_series(2, 300) as others (other)));
select ok(circle_of[1] <> circle_of[2] and not exists (select from generate_series(7, 300) as others (other) where circle_of[other] in (circle_of[1], circle_of[2]) and other > 200),
  'never beside somebody behind a wall')
from tests.swapped('1-2-1000 ' || (select string_agg(one || '-' || other || '-50000000', ' ') from generate_series(1, 3) as ones (one), generate_series(201, 300) as others (other)));
select is(array(select person::integer from unnest(circle_of) with ordinality as seats (circle, person) where circle <> (person + 2) / 3 order by person), '{2,77}', 'of a pool only its people move')
from tests.swapped('1-2-1000', p_pool => array[2, 77]);
select is(circle_of[4], circle_of[5], 'and a pair outside it stays') from tests.swapped('1-2-1000 4-5-1000', p_pool => array[2, 77]);
select is((select max(people)::integer from (select count(*) as people from unnest(circle_of) as seats (circle) group by circle) as sizes), 3, 'sizes stay')
from tests.swapped('1-2-1000 4-5-1000 7-8-1000');
select is(a.circle_of, b.circle_of, 'the same seed gives the same circles') from tests.swapped('1-2-1000') as a, tests.swapped('1-2-1000') as b;
select lives_ok($$ select tests.swapped('1-2-1000', p_seed => seed) from unnest(array[0, -1, 9223372036854775807, -9223372036854775808]) as seeds (seed) $$, 'any seed will do');

select * from finish();
rollback;
