-- People become numbers: who has a wall with whom, and what it costs that two have met.

begin;
select plan(14);

select volatility_is('app', 'draw_circles', array['app.campuses', 'uuid[]', 'timestamp with time zone', 'bigint'], 'stable', 'it only reads');
select is_empty($$
  select proname from pg_proc
  where pronamespace = 'app'::regnamespace and proname in ('draw_circles', 'seat_circles', 'form_circles', 'circle_facts')
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
-- With whom Ann sits, in any of twenty draws. Before the swaps it is the third of the list.
create function tests.with_ann(p_people text default 'ann ben cas dan') returns text language sql as $$
  select string_agg(distinct people.name, ' ' order by people.name)
  from (select array_agg(tests.member(name) order by number) as ids from string_to_table(p_people, ' ') with ordinality as names (name, number)) as listed,
    app.campuses, generate_series(1, 20) as seeds (seed)
    cross join lateral app.draw_circles(campuses, listed.ids, '2030-06-12 13:00-07', seed) as drawn (circles)
    cross join lateral unnest(listed.ids, drawn.circles) as seats (user_id, circle_no)
    inner join tests.people on people.user_id = seats.user_id
  where people.name <> 'ann' and seats.circle_no = drawn.circles[array_position(listed.ids, tests.member('ann'))]
$$;

select is(app.draw_circles(campuses, '{}', now(), 1), '{}'::integer[], 'nobody sits with nobody') from app.campuses;
select is(cardinality(app.draw_circles(campuses, array[tests.member('ann'), tests.member('ben'), tests.member('cas')], now(), 1)), 3, 'a number for each person, in their order') from app.campuses;
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
select is(tests.with_ann(), 'ben', 'without one, an hour ago is as good as long ago');

select * from finish();
rollback;
