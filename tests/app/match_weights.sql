-- What each thing costs: the order that the matching promises.

begin;
select plan(7);

select volatility_is('app', 'match_weights', array[]::text[], 'immutable', 'constants');
select tests.may_call('app.match_weights()', '{}');

create function tests.weight(p_name text) returns integer language sql as $$ select (app.match_weights() ->> p_name)::integer $$;

select cmp_ok(tests.weight('wall'), '>', 100 * (tests.weight('gap') + tests.weight('recent')), 'a wall is more than all pairs of a circle within the gap');
select cmp_ok(20 * tests.weight('wall')::bigint, '<', 2147483647::bigint, 'and twenty of them are still an integer');
select cmp_ok(tests.weight('gap'), '>', 20 * 2 * tests.weight('repeat'), 'a repeat within the gap is more than twenty long ago');
select cmp_ok(2 * tests.weight('repeat'), '>', tests.weight('repeat') + tests.weight('recent') + 8 * tests.weight('fair') + tests.weight('apart'),
  'two repeats are more than one, however recent, unfair and unwanted');
select cmp_ok(tests.weight('near'), '<', tests.weight('repeat'), 'to meet a stranger''s friends is less than to meet a friend');

select * from finish();
rollback;
