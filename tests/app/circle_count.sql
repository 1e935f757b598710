-- How many circles so many people make.

begin;
select plan(14);

select volatility_is('app', 'circle_count', array['integer', 'integer', 'integer', 'integer'], 'immutable', 'arithmetic');
select tests.may_call('app.circle_count(integer, integer, integer, integer)', '{}');

-- Three to five, at best four.
select is(array(select app.circle_count(people, 3, 4, 5) from generate_series(0, 22) as n (people)),
  array[null, null, null, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6], 'from three people on there is always a way, nearest to four each');
select is(app.circle_count(people, size_min, size_target, size_max), circles, says)
from (values
  (5, 4, 4, 4, null, 'five people can''t be circles of exactly four'),
  (8, 4, 4, 4, 2, 'eight can'),
  (7, 3, 3, 3, null, 'nor seven circles of three'),
  (6, 5, 5, 6, 1, 'six make one of five or six'),
  (9, 5, 5, 6, null, 'nine make none of five or six'),
  (2, 2, 2, 2, 1, 'a pair'),
  (3, 2, 2, 2, null, 'three make no pairs'),
  (11, 3, 5, 5, 3, 'at most five each: three circles, though two are nearer to the target'),
  (1000, 3, 4, 5, 250, 'a thousand')
) as cases (people, size_min, size_target, size_max, circles, says);

-- All sizes up to nine and people up to sixty.
select is_empty($$
  select people, size_min, size_target, size_max, circles
  from generate_series(0, 60) as a (people), generate_series(2, 6) as b (size_min), generate_series(size_min, 8) as c (size_target), generate_series(size_target, 9) as d (size_max)
  cross join lateral app.circle_count(people, size_min, size_target, size_max) as count (circles)
  where (circles is not null) <> exists (select from generate_series(1, 60) as n (n) where n * size_min <= people and people <= n * size_max)
    or not (circles * size_min <= people and people <= circles * size_max)
$$, 'a number within the bounds wherever a split exists, and null where none does');
select is_empty($$
  select people, circles, n
  from generate_series(3, 300) as a (people) cross join lateral app.circle_count(people, 3, 4, 5) as count (circles)
  cross join generate_series(1, 100) as n (n)
  where n * 3 <= people and people <= n * 5 and abs(people::float8 / n - 4) < abs(people::float8 / circles - 4) - 1e-9
$$, 'and no other brings the average nearer to four');

select * from finish();
rollback;
