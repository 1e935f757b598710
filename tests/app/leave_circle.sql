-- Giving up a place: the others hear who is left, and every watcher's button stays right.

begin;
select plan(30);

select isnt_definer('app', 'leave_circle', array['text', 'uuid', 'timestamp with time zone', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.leave_circle(text, uuid, timestamptz, timestamptz)', '{}');

-- Given a circle of four, one of five, which is full with two more, and Eva who was left out.
select tests.create_member(name) from unnest('{ann,ben,cas,cat,dan,d1,d2,d3,eva,d4}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case when name like 'd%' then 2 else 1 end) from unnest('{ann,ben,cas,cat,dan,d1,d2,d3,d4}'::text[]) as names (name);
select tests.joined('eva', 'two');
select tests.clock_stands(tests.slot('two') - interval '30 minutes');
select is_empty('select from tests.told()', 'given nothing to tell');
create table tests.before as select max(version) as version from app.waitlist_entries;
create function tests.gives_up(p_name text) returns boolean
language sql as $$ select app.leave_circle('stanford', tests.member(p_name), tests.slot('two'), app.clock()) $$;

set local timezone = 'Asia/Tokyo';
select is(tests.gives_up('ann'), true, 'Ann gives up her place');
select is(current_setting('timezone'), 'Asia/Tokyo', 'and the caller''s zone is as it was');
select results_eq($$
  select channel, event, coalesce(payload ->> 'buttonState', payload ->> 'reason'), (payload ->> 'version')::bigint > (select version from tests.before),
    payload ->> 'timeSlot', jsonb_array_length(payload -> 'members'), payload -> 'belowMinimum'
  from tests.told() order by event, channel $$, $$ values
  ('user:ann', 'button', 'past', true, '2030-06-12T14:00:00-07:00', null::integer, null::jsonb),
  ('user:ben', 'circle', 'place_given_up', null, '2030-06-12T14:00:00-07:00', 3, 'false'),
  ('user:cas', 'circle', 'place_given_up', null, '2030-06-12T14:00:00-07:00', 3, 'false'),
  ('user:cat', 'circle', 'place_given_up', null, '2030-06-12T14:00:00-07:00', 3, 'false') $$,
  'her button is newer than before, her mates hear who is left, in the campus''s time; nobody else hears a thing');
select results_eq('select * from tests.trail()', $$ values ('circle.left', 'ann', 'two', null::jsonb) $$, 'and the trail has it');
select is((select version from app.waitlist_entries where user_id = tests.member('ann')) , (select max(version) from app.waitlist_entries), 'what is asked for is as new as what was told');
select is(tests.gives_up('ann'), false, 'again: there is no place');
select is_empty('select from tests.told() union all select from tests.trail()', 'and nothing to tell');
select is(tests.gives_up('eva'), false, 'who was left out has none either');
select results_eq($$ select * from tests.circles('two') $$, $$ values ('ben cas cat'), ('d1 d2 d3 d4 dan') $$, 'everyone else sits where they sat');

-- Below the minimum, and no circle has room: it is told and reported, not broken.
select tests.gives_up('ben');
select results_eq($$ select channel, event, payload ->> 'reason', payload -> 'belowMinimum' from tests.told() where event = 'circle' order by channel $$, $$ values
  ('user:cas', 'circle', 'place_given_up', 'true'::jsonb), ('user:cat', 'circle', 'place_given_up', 'true') $$, 'those who are left hear that they are few');
select results_eq('select * from tests.trail()', $$ values ('circle.left', 'ben', 'two', null::jsonb), ('circle.below_minimum', null, 'two', '{"circleNo": 1}') $$, 'and the operators can see it');
select results_eq($$ select * from tests.circles('two') $$, $$ values ('cas cat'), ('d1 d2 d3 d4 dan') $$, 'they still meet each other');

-- Places in the other circle make room, in the end.
insert into app.meetings select 'stanford', least(tests.member(a), tests.member(b)), greatest(tests.member(a), tests.member(b)), 1, tests.slot('two')
from (values ('cas', 'cat'), ('dan', 'd1'), ('dan', 'd2'), ('d1', 'd2'), ('d3', 'd1'), ('d4', 'd1')) as met (a, b) on conflict do nothing;
select tests.gives_up('d3');
select is((select count(*) from tests.told()), 5::bigint, 'four and two are too many for one');
select is((select string_agg(action, ' ') from tests.trail()), 'circle.left', 'and no news of the two: they have been reported');
select tests.gives_up('d4');
select results_eq($$ select channel, payload ->> 'reason', jsonb_array_length(payload -> 'members'), payload -> 'circleNo' from tests.told() where event = 'circle' order by channel $$,
  $$ select 'user:' || name, 'merged', 5, '2'::jsonb from unnest('{cas,cat,d1,d2,dan}'::text[]) as names (name) order by 1 $$, 'three and two are merged, and everyone hears whom they meet');
select results_eq('select * from tests.trail()', $$ values ('circle.merged', null, 'two', '{"circleNo": 1, "into": [2, 2]}'::jsonb), ('circle.left', 'd4', 'two', null) $$, 'with a line in the trail');
select results_eq($$ select a, b from tests.people as ones (a), tests.people as others (b), app.meetings where user_a = least(ones.user_id, others.user_id) and user_b = greatest(ones.user_id, others.user_id) and a < b order by 1, 2 $$,
  $$ values ('cas', 'cat'), ('cas', 'd1'), ('cas', 'd2'), ('cas', 'dan'), ('cat', 'd1'), ('cat', 'd2'), ('cat', 'dan'), ('d1', 'd2'), ('d1', 'dan'), ('d2', 'dan') $$,
  'they have met, all of them; who left has met nobody');
select results_eq($$ select people.name, circle_no, moved_from, changes_count, cancelled_at is not null from app.circle_members natural join tests.people order by 1 $$, $$ values
  ('ann', 1, null::integer, 1, true), ('ben', 1, null, 2, true), ('cas', 2, 1, 3, false), ('cat', 2, 1, 3, false), ('d1', 2, null, 2, false), ('d2', 2, null, 2, false),
  ('d3', 2, null, 1, true), ('d4', 2, null, 2, true), ('dan', 2, null, 2, false) $$, 'the books know where everybody came from, and how often it changed for whom');

-- The last one out.
select tests.gives_up(name) from unnest('{d1,d2,dan,cas}'::text[]) as names (name);
update app.circles set spot_id = spot from (select app.add_meeting_spot('stanford', 'steps', 'Steps') as spot) as spots where circle_no = 2;
select ok(tests.gives_up('cat'), 'the last one may go, too');
select is_empty('select spot_id from app.circles where spot_id is not null', 'and the spot is free');

-- Who is left alone met nobody: left out, until a circle takes them in.
select tests.create_slot('five', '17:00');
select tests.in_circle(name, 'five', case when name like 'd%' then 2 else 1 end) from unnest('{ann,ben,cas,dan,d1,d2,d3,d4}'::text[]) as names (name);
create function tests.leaves_five(p_name text) returns text
language sql as $$
  select app.leave_circle('stanford', tests.member(p_name), tests.slot('five'), app.clock());
  select string_agg(people.name, ' ' order by people.name)
  from app.waitlist_entries as entries inner join tests.people using (campus_id, user_id)
  where entries.time_slot = tests.slot('five') and entries.left_out $$;
select is(tests.leaves_five('ann'), null, 'two who are left meet each other');
select is(tests.leaves_five('ben'), 'cas', 'one who is left alone meets nobody, and counts as left out');
select is((app.matching_inputs(campuses, array[tests.member('ben'), tests.member('cas')], tests.slot('five') + interval '1 day')) -> 'missed', '[0, 101]', 'so they come first the next time') from app.campuses;
select is(tests.leaves_five('d1'), null, 'until another circle has room for them');
select results_eq($$ select * from tests.circles('five') $$, $$ values ('cas d2 d3 d4 dan') $$, 'and takes them in');
select tests.leaves_five(name) from unnest('{d2,d3,d4}'::text[]) as names (name);
select is(tests.leaves_five('dan'), 'cas', 'left alone once more');
select is(tests.leaves_five('cas'), null, 'who then gives up, too, is not left out');

select * from finish();
rollback;
