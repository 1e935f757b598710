-- People become numbers: who has a wall with whom, and what it costs that two have met.

begin;
select plan(38);

select volatility_is('app', 'draw_circles', array['app.campuses', 'uuid[]', 'timestamp with time zone', 'bigint'], 'stable', 'it only reads');
select is_empty($$
  select proname from pg_proc
  where pronamespace = 'app'::regnamespace and proname in ('draw_circles', 'pair_costs', 'known_meetings', 'known_wishes', 'form_circles', 'circle_facts')
    and not coalesce(proconfig @> array['plan_cache_mode=force_custom_plan'], false)
$$, 'what takes a list plans for it each time: a cached plan takes it for ten people, and looks up every two of 2,500');
select tests.may_call('app.draw_circles(app.campuses, uuid[], timestamptz, bigint)', '{}');

-- Given four people and circles of two: there are three ways to pair them.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,zoe}'::text[]) as names (name);
update app.campuses set size_min = 2, size_target = 2, size_max = 2, min_gap_days = 7;
create function tests.met(p_name text, p_other text, p_last timestamptz) returns void language sql as $$
  insert into app.meetings values ('stanford', least(tests.member(p_name), tests.member(p_other)), greatest(tests.member(p_name), tests.member(p_other)), 1, p_last)
  on conflict on constraint meetings_pkey do update set last_met_at = excluded.last_met_at
$$;
-- With whom Ann sits, in any of twenty draws.
create function tests.with_ann(p_people text default 'ann ben cas dan') returns text language sql as $$
  select string_agg(distinct people.name, ' ' order by people.name)
  from app.campuses, generate_series(1, 20) as seeds (seed)
    cross join lateral (select array_agg(tests.member(name) order by hashtextextended(name, seed)) as ids from string_to_table(p_people, ' ') as names (name)) as listed
    cross join lateral app.draw_circles(campuses, listed.ids, '2030-06-12 13:00-07', seed) as drawn
    cross join lateral unnest(listed.ids, drawn.circles) as seats (user_id, circle_no)
    inner join tests.people on people.user_id = seats.user_id
  where people.name <> 'ann' and seats.circle_no = drawn.circles[array_position(listed.ids, tests.member('ann'))]
$$;

select is((app.draw_circles(campuses, '{}', now(), 1)).circles, '{}', 'nobody sits with nobody') from app.campuses;
select is(cardinality((app.draw_circles(campuses, array[tests.member('ann'), tests.member('ben'), tests.member('cas')], now(), 1)).circles), 3, 'a number for each person, in their order') from app.campuses;
select is(tests.with_ann('ann ben') , 'ben', 'two make a pair');
select is(tests.with_ann('ann'), null, 'one makes none');

-- Walls, whoever put them up, but only of those who are here.
select tests.blocked('ann', 'ben');
select tests.blocked('dan', 'ann');
select tests.blocked('zoe', 'cas');
select is(tests.with_ann(), 'cas', 'Ann blocks Ben and Dan blocks Ann: that leaves Cas');
select tests.blocked('cas', 'ann');
select is(tests.with_ann(), null, 'and then nobody');
delete from app.blocks;

-- Met: all but Cas and Dan. To part Ann and Ben puts together two pairs that have met, not one.
select tests.met(one, other, '2030-01-01 12:00-07') from (values ('ann', 'ben'), ('ann', 'cas'), ('ann', 'dan'), ('ben', 'cas'), ('ben', 'dan')) as pairs (one, other);
select is(tests.with_ann(), 'ben', 'long ago counts the same for all: one pair that has met is less than two');
select tests.met('ann', 'ben', '2030-06-05 13:00:00.000001-07');
select is(tests.with_ann('ann cas ben dan'), 'cas dan', 'within the campus''s gap, by a microsecond, it outweighs all others');
select tests.met('ann', 'ben', '2030-06-05 13:00-07');
select is(tests.with_ann(), 'ben', 'at the gap it no longer does');
update app.campuses set min_gap_days = 8;
select is(tests.with_ann('ann cas ben dan'), 'cas dan', 'the gap is the campus''s own');
update app.campuses set min_gap_days = 0;
select tests.met('ann', 'ben', '2030-06-12 12:00-07');
select is(tests.with_ann(), 'ben', 'without one, an hour ago is better than two pairs of long ago');
select tests.met('ann', 'ben', '2030-01-01 12:00-07');
delete from app.meetings;

-- Everyone has met everyone, so two pairs must meet again. Each time one thing decides which.
select tests.met(one.name, other.name, '2030-01-01 12:00-07') from tests.people as one, tests.people as other where one.name < other.name and 'zoe' not in (one.name, other.name);
select is(tests.with_ann(), 'ben cas dan', 'long ago counts the same for all');
select tests.met('ann', 'ben', '2030-06-01 12:00-07');
select is(tests.with_ann(), 'cas dan', 'the more recent, the worse');
select tests.met('ann', 'ben', '2030-01-01 12:00-07');

-- Given a slot of last week, in which Ann sat with Ben, and Cas with Dan.
select tests.create_slot('past', '08:00');
update app.time_slots set time_slot = '2030-06-05 13:00-07', deadline_at = '2030-06-05 12:00-07', ends_at = '2030-06-05 13:20-07' where time_slot = tests.slot('past');
update tests.slots set time_slot = '2030-06-05 13:00-07' where name = 'past';
select tests.in_circle(name, 'past', circle_no) from (values ('ann', 1), ('ben', 1), ('cas', 2), ('dan', 2)) as seats (name, circle_no);

select tests.gave_feedback('ben', 'past', 3);
select is(tests.with_ann(), 'ben cas dan', 'a middling rating says nothing');
update app.feedback set rating = 2;
select is(tests.with_ann(), 'cas dan', 'a low one keeps the circle apart');
update app.feedback set rating = 3;
insert into app.feedback_about values ('stanford', tests.slot('past'), tests.member('ben'), tests.member('ann'), false, false);
select is(tests.with_ann(), 'cas dan', 'so does who does not want to meet again');
update app.feedback_about set meet_again = true;
select is(tests.with_ann(), 'ben cas dan', 'one who wants to is not enough');
select tests.gave_feedback('ann', 'past', 5);
insert into app.feedback_about values ('stanford', tests.slot('past'), tests.member('ann'), tests.member('ben'), true, false);
select is(tests.with_ann(), 'ben', 'but both may');
update app.campuses set min_gap_days = 7;
select tests.met('ann', 'ben', '2030-06-06 13:00-07');
select is(tests.with_ann(), 'cas dan', 'after the gap, not within it');
update app.campuses set min_gap_days = 0;
delete from app.feedback;
update app.meetings set last_met_at = '2030-01-01 12:00-07';

-- Reliability: Ann and Ben stayed away.
update app.circle_members set attended = false where user_id in (tests.member('ann'), tests.member('ben'));
select is(tests.with_ann(), 'cas dan', 'two who stayed away are spread');
update app.circle_members set attended = null;

-- Repeats go to those who had fewest lately: Ann and Ben had one each, with Zoe.
select tests.met(name, 'zoe', '2030-06-03 12:00-07') from unnest('{ann,ben}'::text[]) as names (name);
update app.meetings set meetings_count = 2 where tests.member('zoe') in (user_a, user_b);
delete from app.meetings where tests.member('zoe') not in (user_a, user_b) and not (tests.member('ann') in (user_a, user_b) or tests.member('ben') in (user_a, user_b));
select is((drawn.quality -> 'cost' ->> 'fairness')::integer, 0, 'who had none pays nothing') from app.campuses, lateral app.draw_circles(campuses, array[tests.member('cas'), tests.member('dan')], '2030-06-12 13:00-07', 1) as drawn;
select is((drawn.quality -> 'cost' ->> 'fairness')::integer, 50, 'two repeats of the two weigh') from app.campuses, lateral app.draw_circles(campuses, array[tests.member('ann'), tests.member('ben')], '2030-06-12 13:00-07', 1) as drawn;
delete from app.meetings;

-- The attribute to mix.
update app.campuses set mix_attribute = 'year';
update app.users set attributes = jsonb_build_object('year', case when display_name in ('Ann', 'Ben') then 1 else 2 end);
select is(tests.with_ann(), 'cas dan', 'a year is mixed');
update app.campuses set mix_attribute = null;
select is(tests.with_ann(), 'ben cas dan', 'where the campus asks for it');

-- Left out: of five one is, in circles of two.
insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version, left_out)
select 'stanford', tests.slot('past'), tests.member('zoe'), '2030-06-05 10:00-07', 1, true;
create function tests.left_out() returns text language sql as $$
  select string_agg(distinct people.name, ' ' order by people.name)
  from (select array_agg(user_id order by name) as ids from tests.people) as listed, app.campuses, generate_series(1, 40) as seeds (seed)
    cross join lateral app.draw_circles(campuses, listed.ids, '2030-06-12 13:00-07', seed) as drawn
    cross join lateral unnest(listed.ids, drawn.circles) as seats (user_id, circle_no)
    inner join tests.people on people.user_id = seats.user_id
  where seats.circle_no is null
$$;
select is(tests.left_out(), 'ann ben cas dan', 'not who was left out the last time');
update app.time_slots set cancelled_at = deadline_at, matched_at = null where time_slot = tests.slot('past');
select is(tests.left_out(), 'ann ben cas dan zoe', 'unless that slot was called off');
update app.time_slots set cancelled_at = null;
update app.waitlist_entries set left_out = false;
select is(tests.left_out(), 'ann ben cas dan zoe', 'or they were not');

-- Among many not all pairs are read. Given 1,200 people, each of whom has met twenty others; one has met nearly everybody.
delete from app.meetings;
update app.campuses set size_min = 3, size_target = 4, size_max = 5, min_gap_days = 0;
create function tests.one_of_many(p_number integer) returns uuid language sql as $$ select lpad(p_number::text, 32, '0')::uuid $$;
insert into app.meetings
select 'stanford', tests.one_of_many(one), tests.one_of_many(one + apart), 1, '2030-01-01 12:00-07'
from generate_series(1, 1200) as ones (one) cross join generate_series(1, 91, 10) as aparts (apart) where one + apart <= 1200;
create function tests.many(p_seed bigint) returns table (circles integer[], quality jsonb, repeats integer) language sql as $$
  select drawn.circles, drawn.quality, (
    select count(*)::integer from app.meetings
    where drawn.circles[ltrim(replace(user_a::text, '-', ''), '0')::integer] = drawn.circles[ltrim(replace(user_b::text, '-', ''), '0')::integer])
  from app.campuses cross join lateral app.draw_circles(
    campuses, array(select tests.one_of_many(number) from generate_series(1, 1200) as numbers (number)), '2030-06-12 13:00-07', p_seed) as drawn $$;
select is(repeats, 0, 'nobody meets again, seed ' || seed) from unnest(array[1, 2, 3]) as seeds (seed) cross join lateral tests.many(seed);
select is(a.circles, b.circles, 'the same seed gives the same circles') from tests.many(7) as a cross join tests.many(7) as b;
insert into app.meetings
select 'stanford', tests.one_of_many(1), tests.one_of_many(other), 1, '2030-01-01 12:00-07' from generate_series(2, 1199) as others (other) on conflict do nothing;
select is(repeats, 3, 'who has met all but one meets again, and nobody else does') from tests.many(1);
select is((quality #>> '{lowerBound}')::integer, 1, 'and the bound counts them all') from tests.many(1);
delete from app.meetings;

-- The quality.
update app.campuses set size_min = 2, size_target = 2, size_max = 2;
select tests.met(one.name, other.name, '2030-01-01 12:00-07') from tests.people as one, tests.people as other where one.name < other.name;
select is((quality ->> 'lowerBound')::integer, 2, 'four who all have met make two pairs that meet again: the bound knows')
from app.campuses, lateral app.draw_circles(campuses, (select array_agg(user_id) from tests.people where name <> 'zoe'), '2030-06-12 13:00-07', 1);
select is(array(select jsonb_object_keys(quality) order by 1), '{algorithm,cost,lowerBound,milliseconds,steps,weights,withinGap}', 'the report has all of it')
from app.campuses, lateral app.draw_circles(campuses, (select array_agg(user_id) from tests.people where name <> 'zoe'), '2030-06-12 13:00-07', 1);

select * from finish();
rollback;
