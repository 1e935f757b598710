-- Who is left out: as few as possible, nobody twice running if anybody else could be, and those who were so least.
-- (Walls and sizes by themselves: form_circles.sql, seat_walled.sql.)

begin;
select plan(14);

select volatility_is('app', 'seat_people', array['integer', 'integer', 'integer', 'integer', 'integer[]', 'integer[]', 'integer[]', 'bigint'], 'immutable', 'no table, no clock');
select tests.may_call('app.seat_people(integer, integer, integer, integer, integer[], integer[], integer[], bigint)', '{}');

-- Who is left out in any of thirty draws: each draw's people, each combination once.
create function tests.out(p_missed integer[], p_walls text default '', p_sizes integer[] default '{4,4,4}') returns text language sql as $$
  select string_agg(distinct missing.people, ' ' order by missing.people)
  from generate_series(1, 30) as seeds (seed)
  cross join lateral (
    select string_agg(seats.person::text, ',' order by seats.person) as people
    from unnest(app.seat_people(cardinality(p_missed), p_sizes[1], p_sizes[2], p_sizes[3],
      array(select split_part(pair, '-', 1)::integer from unnest(string_to_array(p_walls, ' ')) as walls (pair)),
      array(select split_part(pair, '-', 2)::integer from unnest(string_to_array(p_walls, ' ')) as walls (pair)), p_missed, seed)) with ordinality as seats (circle, person)
    where seats.circle = 0
  ) as missing
$$;

select is(app.seat_people(0, 3, 4, 5, '{}', '{}', '{}', 1), '{}', 'nobody has no place');
select is(app.seat_people(2, 3, 4, 5, '{}', '{}', '{0,0}', 1), '{0,0}', 'two have none either');
select is(tests.out('{0,0,0,0,0}'), '1 2 3 4 5', 'one of five is left out, anybody');
select is(tests.out('{1,1,0,1,1}'), '3', 'who was so least of late');
select is(tests.out('{0,101,101,0,101,101}'), '1,4', 'two of six: those who were not the last time');
select is(tests.out('{101,101,101,101,102}'), '1 2 3 4', 'where all were, those who were so least');
select is(tests.out('{101,0,0,0}', '1-2', '{3,4,5}'), '2', 'of two whom a wall parts the one who was not');
select is(tests.out('{101,101,0,0}', '1-2', '{3,4,5}'), '2', 'one of them, if both were: somebody must, and no other would do');
select is(tests.out('{101,0,0,0,101}', '1-2', '{3,4,4}'), '2', 'with a circle of four among five, too');
select is(tests.out('{0,101,0,101,0,0}', '1-2', '{4,4,4}'), '1,3 1,5 1,6', 'the wall''s one and another who was not');
select is(tests.out('{101,101,101,0,0}', '1-2 2-3 1-3', '{3,3,3}'), '2,3', 'two of three who avoid each other, though all were: no more than must be');
select is(tests.out('{101,101,101,101}', '', '{3,4,5}'), null, 'nobody, where there is room');

select * from finish();
rollback;
