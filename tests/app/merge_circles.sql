-- Circles that are too small join others: all together, or each elsewhere, or not at all; never through a wall.

begin;
select plan(26);

select isnt_definer('app', 'merge_circles', array['text', 'timestamp with time zone', 'timestamp with time zone'], 'called from definers only');
select tests.may_call(name || '(' || arguments || ')', '{}') from (values
  ('app.merge_circles', 'text, timestamptz, timestamptz'), ('app.seats_elsewhere', 'app.campuses, timestamptz, uuid[], integer'), ('app.open_seats', 'app.campuses, timestamptz, uuid[], integer[]'),
  ('app.free_spot', 'text, timestamptz, integer, integer'), ('app.circle_people', 'text, timestamptz, integer[]')) as functions (name, arguments);

-- Circles by the first letter of who is in them: a1, a2 in 1, b1 ... in 2. Spots by number, where there are as many.
select tests.create_slot('two', '14:00');
create function tests.circles_of(p_circles text) returns void language sql as $$
  select tests.create_member(name) from regexp_split_to_table(p_circles, '[ /]+') as names (name) where tests.member(name) is null;
  delete from app.waitlist_entries;
  delete from app.circles;
  select tests.in_circle(name, 'two', ascii(name) - 96) from regexp_split_to_table(p_circles, '[ /]+') as names (name)
$$;
create function tests.merges(p_circles text default null) returns text language sql as $$
  select tests.circles_of(p_circles) where p_circles is not null;
  select array_to_string(app.merge_circles('stanford', tests.slot('two'), app.clock()), ',') || ': ' || (select string_agg(circle, ' / ') from tests.circles('two') as circles (circle))
$$;

select is(tests.merges('a1 a2 a3 / b1 b2 b3 b4'), ': a1 a2 a3 / b1 b2 b3 b4', 'whoever has enough stays');
select is(tests.merges('a1 a2 / b1 b2 b3 b4 / c1 c2 c3'), '3: b1 b2 b3 b4 / a1 a2 c1 c2 c3', 'two go together, where both have room');
select is(tests.merges(), ': b1 b2 b3 b4 / a1 a2 c1 c2 c3', 'again: nothing is to be done');
select is(tests.merges('a1 / b1 b2 b3 b4 / c1 c2 c3'), '3: b1 b2 b3 b4 / a1 c1 c2 c3', 'one goes where there are fewest');
select is(tests.merges('a1 a2 / b1 b2'), '2: a1 a2 b1 b2', 'two small circles help each other');
select is(tests.merges('a1 / b1'), '2: a1 b1', 'even if they are too few together: better than alone');
select is(tests.merges('a1 a2 / b1 b2 b3 b4 / c1 c2 c3 c4'), '2,3: a1 b1 b2 b3 b4 / a2 c1 c2 c3 c4', 'where nobody takes both, each goes to another circle') where tests.member('a1') < tests.member('a2');
select is(tests.merges('a1 a2 / b1 b2 b3 b4 / c1 c2 c3 c4'), '2,3: a2 b1 b2 b3 b4 / a1 c1 c2 c3 c4', 'where nobody takes both, each goes to another circle') where tests.member('a1') > tests.member('a2');
select is(tests.merges('a1 a2 / b1 b2 b3 b4 / c1 c2 c3 c4 c5'), ': a1 a2 / b1 b2 b3 b4 / c1 c2 c3 c4 c5', 'but not one alone: the other would sit alone');
select is(tests.merges('a1 / b1 b2 b3 b4 b5'), ': a1 / b1 b2 b3 b4 b5', 'no circle grows beyond the maximum');
select is(tests.merges('a1 a2'), ': a1 a2', 'where there is no other there is none');

-- Walls, whoever put them up.
select tests.blocked('c3', 'a2');
select is(tests.merges('a1 a2 / b1 b2 b3 b4 / c1 c2 c3'), '2,3: a2 b1 b2 b3 b4 / a1 c1 c2 c3', 'one wall parts them: who has the least choice chooses first');
select tests.blocked('a1', 'b4');
select is(tests.merges('a1 a2 / b1 b2 b3 b4 / c1 c2 c3'), '2,3: a2 b1 b2 b3 b4 / a1 c1 c2 c3', 'walls from either side');
select tests.blocked('a2', 'b1');
select is(tests.merges('a1 a2 / b1 b2 b3 b4 / c1 c2 c3'), ': a1 a2 / b1 b2 b3 b4 / c1 c2 c3', 'rather too small than through a wall');
delete from app.blocks;

-- Repeats: none before few, those within the gap last.
create function tests.met(p_one text, p_other text, p_times integer, p_ago interval) returns void language sql as $$
  insert into app.meetings select 'stanford', least(tests.member(p_one), tests.member(p_other)), greatest(tests.member(p_one), tests.member(p_other)), p_times, tests.slot('two') - p_ago
$$;
select tests.met('a1', 'c1', 1, '100 days');
select is(tests.merges('a1 / b1 b2 b3 b4 / c1 c2 c3'), '2: a1 b1 b2 b3 b4 / c1 c2 c3', 'rather a larger circle than one with a friend from before');
select tests.met('b1', 'a1', 2, '100 days');
select is(tests.merges('a1 / b1 b2 b3 b4 / c1 c2 c3'), '3: b1 b2 b3 b4 / a1 c1 c2 c3', 'the fewest meetings');
update app.campuses set min_gap_days = 30;
update app.meetings set last_met_at = tests.slot('two') - interval '30 days' + interval '1 us' where meetings_count = 1;
select is(tests.merges('a1 / b1 b2 b3 b4 / c1 c2 c3'), '2: a1 b1 b2 b3 b4 / c1 c2 c3', 'but none within the gap');
delete from app.meetings;

-- Spots.
select app.add_meeting_spot('stanford', spot, spot) from unnest('{court,steps}'::text[]) as spots (spot);
create function tests.spots() returns text language sql as $$ select string_agg(circle_no || ' ' || coalesce(spot_id, '-'), ', ' order by circle_no) from app.circles $$;
select tests.circles_of('a1 a2 / b1 b2 b3');
update app.circles set spot_id = case circle_no when 1 then 'court' else 'steps' end;
select tests.merges();
select is(tests.spots(), '1 -, 2 steps', 'they meet at the spot of those they join, and their own is free');
select tests.circles_of('a1 a2 / b1 b2 b3');
update app.circles set spot_id = 'court' where circle_no = 1;
select tests.merges();
select is(tests.spots(), '1 -, 2 court', 'and bring it along where those have none');

-- Of another campus, or another slot, nobody is moved.
select tests.create_slot('three', '15:00');
select tests.create_member('far', 'mit');
select tests.create_slot('abroad', '11:00', 'mit');
select tests.circles_of('a1 a2 / b1 b2 b3');
select tests.in_circle('c1', 'three', 3) from tests.create_member('c1') where tests.member('c1') is null;
select tests.in_circle('far', 'abroad', 4);
select is(tests.merges(), '2: a1 a2 b1 b2 b3', 'slots and campuses are apart');
select is((select circle_no from app.circle_members where user_id = tests.member('far')), 4, 'even at the same instant');

select * from finish();
rollback;
