-- Who sits with whom: walls first, then sizes, then balance, then whom one has met.

begin;
select plan(38);

select volatility_is('app', 'form_circles', array['integer[]', 'integer', 'integer', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'integer[]', 'bigint'],
  'immutable', 'no table, no clock: the same arguments give the same circles');
select tests.may_call('app.form_circles(integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer[], integer[], bigint)', '{}');

create function tests.formed(p_people integer, p_walls text default '', p_met text default '', p_sizes integer[] default '{3,4,5}', p_seed bigint default 1) returns integer[]
language sql as $$
  select array_replace((app.form_circles(
    app.seat_people(p_people, p_sizes[1], p_sizes[2], p_sizes[3], walls.a, walls.b, array_fill(0, array[p_people]), p_seed),
    p_sizes[1], p_sizes[3], walls.a, walls.b,
    array(select split_part(pair, '-', 1)::integer from unnest(string_to_array(p_met, ' ')) as met (pair)),
    array(select split_part(pair, '-', 2)::integer from unnest(string_to_array(p_met, ' ')) as met (pair)),
    array(select coalesce(nullif(split_part(pair, '-', 3), ''), '1')::integer * 1000 from unnest(string_to_array(p_met, ' ')) as met (pair)),
    null, array_fill(0, array[p_people]), array_fill(1, array[p_people]), p_seed)).circles, 0, null)
  from (
    select coalesce(array_agg(split_part(pair, '-', 1)::integer), '{}') as a, coalesce(array_agg(split_part(pair, '-', 2)::integer), '{}') as b
    from unnest(string_to_array(p_walls, ' ')) as walls (pair)
  ) as walls
$$;
-- Sizes from the smallest on, then how many are left out: '3 4 4, 0 out'.
create function tests.sizes(p_circles integer[]) returns text language sql as $$
  select concat(
    (select string_agg(people::text, ' ' order by people) from (select count(*) as people from unnest(p_circles) as seats (circle) where circle is not null group by circle) as sizes),
    ', ', (select count(*) from unnest(p_circles) as seats (circle) where circle is null), ' out')
$$;
create function tests.full_wall(p_from integer, p_to integer, p_others integer) returns text language sql as $$
  select string_agg(one || '-' || other, ' ') from generate_series(p_from, p_to) as ones (one), generate_series(1, p_others) as others (other) where other > one
$$;

-- Sizes.
select is(tests.sizes(tests.formed(people)), sizes, people || ' people: ' || sizes)
from (values (0, ', 0 out'), (1, ', 1 out'), (2, ', 2 out'), (3, '3, 0 out'), (5, '5, 0 out'), (6, '3 3, 0 out'), (7, '3 4, 0 out'), (11, '3 4 4, 0 out'), (14, '3 3 4 4, 0 out')) as cases (people, sizes);
select is_empty($$
  select people from generate_series(3, 60) as a (people) cross join lateral (
    select max(size) - min(size) as differ, sum(size) as seated, min(size) as least, max(size) as most
    from (select count(*) as size from unnest(tests.formed(people)) as seats (circle) group by circle) as sizes
  ) as facts where not (differ <= 1 and seated = people and least >= 3 and most <= 5)
$$, 'from three to sixty people nobody is left out, and sizes differ by one at most');
select is(tests.sizes(tests.formed(5, p_sizes => '{4,4,4}')), '4, 1 out', 'where no split exists, as few as possible are left out');
select is(tests.sizes(tests.formed(7, p_sizes => '{5,5,5}')), '5, 2 out', 'two of seven, where each circle has five');
select is(tests.formed(4), array[1, 1, 1, 1], 'circles are numbered from one');

-- Walls.
select isnt(seats[1], seats[2], 'a wall parts two people, whichever put it up and however often: ' || walls)
from (values ('1-2'), ('2-1'), ('1-2 2-1'), ('1-2 1-2')) as cases (walls) cross join lateral tests.formed(6, walls) as formed (seats);
select is(tests.sizes(tests.formed(6, '1-2')), '3 3, 0 out', 'and leaves nobody out, where there are two circles');
select is(tests.sizes(seats) || (seats[3] is not null and seats[4] is not null)::text, '3, 1 outtrue', 'where there is one, one of the two is left out') from tests.formed(4, '1-2') as formed (seats);
select is(tests.sizes(tests.formed(3, '1-2')), ', 3 out', 'where without one there is none, all are');
select is(tests.sizes(tests.formed(9, '1-2 2-3 1-3')), '3 3 3, 0 out', 'three who avoid each other make three circles of nine people, not two');
select is(tests.sizes(tests.formed(8, '1-2 2-3 1-3')), '3 4, 1 out', 'of eight people one of the three is left out');
select is(tests.sizes(tests.formed(9, '1-6 1-7 1-8 1-9 2-6 2-7 2-8 2-9 3-6 3-7 3-8 3-9 4-6 4-7 4-8 4-9 5-6 5-7 5-8 5-9')), '4 5, 0 out', 'two camps of five and four sit by themselves');
select is(tests.sizes(tests.formed(8, '1-6 1-7 1-8 2-6 2-7 2-8 3-6 3-7 3-8 4-6 4-7 4-8 5-6 5-7 5-8')), '3 5, 0 out', 'sizes differ by more than one only because walls ask for it');
select is(tests.sizes(tests.formed(6, tests.full_wall(1, 6, 6))), ', 6 out', 'where everyone avoids everyone nobody meets');
select is(array(select number from unnest(seats) with ordinality as numbers (circle, number) where circle is null), array[1::bigint], 'who avoids all of ' || people || ' is left out, and spoils nobody else''s evening')
from unnest(array[13, 20, 40]) as n (people) cross join lateral tests.formed(people, tests.full_wall(1, 1, people)) as formed (seats);

-- Whom one has met.
select is_empty($$ select seed from generate_series(1, 50) as seeds (seed) cross join lateral tests.formed(8, '', '1-2', p_seed => seed) as formed (seats) where seats[1] = seats[2] $$,
  'two who have met are parted, whatever is drawn');
select is(tests.sizes(tests.formed(3, '', '1-2 2-3 1-3')), '3, 0 out', 'but nobody is left out for having met');
select is_empty($$ select seed from generate_series(1, 50) as seeds (seed) cross join lateral tests.formed(4, '', '1-2-10 1-3-1 1-4-1 2-3-1 2-4-1', '{2,2,2}', seed) as formed (seats) where seats[1] = seats[2] $$,
  'a dear pair is parted, though four cheap ones are the price');
select is_empty($$ select seed from generate_series(1, 50) as seeds (seed) cross join lateral tests.formed(4, '', '1-2-1 1-3-1 1-4-1 2-3-1 2-4-1', '{2,2,2}', seed) as formed (seats) where seats[1] <> seats[2] $$,
  'and kept, if it costs less than what it takes to part it');
select is_empty($$ select seed from generate_series(1, 50) as seeds (seed) cross join lateral tests.formed(4, '1-3 1-4', '1-2-10000', '{2,2,2}', seed) as formed (seats) where seats[1] <> seats[2] $$,
  'but never through a wall: who can sit with one person only sits with that one, met or not');
select is(tests.formed(20, '1-2 3-4', '5-6 7-8', p_seed => 3), tests.formed(20, '1-2 3-4', '5-6 7-8', p_seed => 3), 'the same seed gives the same circles');
select isnt_empty($$ select from generate_series(2, 30) as seeds (seed) where tests.formed(20, '1-2 3-4', '5-6 7-8', p_seed => seed) <> tests.formed(20, '1-2 3-4', '5-6 7-8') $$, 'another may give others');
select lives_ok($$ select tests.formed(9, '1-2', '3-4', p_seed => seed) from unnest(array[0, -1, 9223372036854775807, -9223372036854775808]) as seeds (seed) $$, 'any seed will do');

select * from finish();
rollback;
