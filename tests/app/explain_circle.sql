-- Why these people sit together, in words: what was known then, and what has changed since; nobody is given away.

begin;
select plan(31);

select isnt_definer('app', 'explain_circle', array['text', 'timestamp with time zone', 'integer'], 'called from definers only');
select volatility_is('app', 'explain_circle', array['text', 'timestamp with time zone', 'integer'], 'stable', 'it can write nothing');

-- Given nine in the morning with four people, and two o'clock with the same four: whoever sits, has met.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva,fay,gil}'::text[]) as names (name);
select tests.create_slot(name, at) from (values ('old', time '07:00'), ('nine', '09:00'), ('two', '14:00'), ('four', '16:00'), ('six', '18:00')) as slots (name, at);
select tests.joined(name, slot) from unnest('{ann,ben,cas,dan}'::text[]) as names (name) cross join unnest('{nine,two}'::text[]) as slots (slot);
select tests.in_circle('gil', 'old');
select tests.joined(name, 'six') from unnest('{ann,ben,cas}'::text[]) as names (name);
create function tests.matches(p_slot text, p_seed bigint default 1) returns void language sql as $$
  select tests.clock_stands(tests.slot(p_slot) - interval '1 hour');
  select app.match_time_slot('stanford', tests.slot(p_slot), p_seed) $$;
create function tests.why(p_slot text, p_circle_no integer default 1) returns setof text language sql as $$
  select jsonb_array_elements_text(app.explain_circle('stanford', tests.slot(p_slot), p_circle_no) -> 'reasons') $$;
create function tests.who(p_slot text, p_circle_no integer default 1) returns setof text language sql as $$
  select (person ->> 'displayName') || ' ' || (person ->> 'place')
  from jsonb_array_elements(app.explain_circle('stanford', tests.slot(p_slot), p_circle_no) -> 'people') as people (person) $$;

select tests.matches('nine');
select results_eq($$ select tests.why('nine') $$, $$ values
  ('4 of the 4 people on the list sit in circles: 1 of 4. The campus wants from 3 to 5, best 4.'),
  ('None of these 4 had met before.'),
  ('Blocks were kept to, and what members said of each other was heard; nobody is told of whom.'),
  ('The circle has no spot.') $$, 'strangers, and nothing else to say');
select results_eq($$ select tests.who('nine') $$, $$ values ('Ann kept'), ('Ben kept'), ('Cas kept'), ('Dan kept') $$, 'who sits in it');
select is(app.explain_circle('stanford', tests.slot('nine'), 1) - 'people' - 'reasons', jsonb_build_object('campusId', 'stanford', 'timeSlot', tests.slot('nine'), 'circleNo', 1), 'which it is');

-- Who meets again, and when it was; the gap is that of then.
update app.campuses set min_gap_days = 1;
select tests.matches('two');
select is((select count(*) from tests.why('two') as reasons (reason) where reason like '% had met before, once, last on 12 June 2030, the same day; within the gap of 1 days. Of the 3 others %'), 6::bigint,
  'each pair that meets again, when, and that it is within the gap');
select results_eq($$ select reason from tests.why('two') as reasons (reason) where reason like 'Ann and Ben%' $$, $$ values
  ('Ann and Ben had met before, once, last on 12 June 2030, the same day; within the gap of 1 days. Of the 3 others on the list Ann had met 3 and Ben 3: no better circles were found.') $$,
  'how many of the others either had met');
select is_empty($$ select from tests.why('two') as reasons (reason) where reason like 'None%' $$, 'and not that they are strangers');
update app.time_slots set match_inputs = jsonb_set(match_inputs, '{campus,min_gap_days}', '0') where time_slot = tests.slot('two');
select is((select count(*) from tests.why('two') as reasons (reason) where reason like '%; the campus wants a gap of 0 days.%'), 6::bigint, 'past the gap that the campus had then');
update app.circle_members set cancelled_at = tests.slot('nine') + interval '1 day' where time_slot = tests.slot('nine');
select is((select count(*) from tests.why('two') as reasons (reason) where reason like '% had met before%'), 6::bigint, 'what the books learned later was not known');

-- Who had been left out, by what the run has kept.
update app.time_slots set match_inputs = match_inputs || '{"missed": [103, 1, 2, 0]}' where time_slot = tests.slot('two');
select is((select string_agg(reason, ' ' order by reason) ~ 'left out the last time, and came first.*' from tests.why('two') as reasons (reason)), true, 'who was left out the last time');
select is((select count(*) from tests.why('two') as reasons (reason) where reason like '% had been left out once in the 30 days before, and came first.'), 1::bigint, 'once');
select is((select count(*) from tests.why('two') as reasons (reason) where reason like '% had been left out 2 times in the 30 days before, and came first.'), 1::bigint, 'or more often');
select is((select count(*) from tests.why('two') as reasons (reason) where reason like '%left out%'), 3::bigint, 'and of others nothing');

-- Who stayed away: how many on the list, never who. And what is mixed.
update app.time_slots set match_inputs = match_inputs || '{"risk": [2, 0, 1, 0], "class": [1, 2, 2, 3]}' where time_slot = tests.slot('two');
update app.time_slots set match_inputs = jsonb_set(match_inputs, '{campus,mix_attribute}', '"year"') where time_slot = tests.slot('two');
select is((select count(*) from tests.why('two') as reasons (reason) where reason = 'Of those on the list 2 had stayed away lately; they are spread over the circles.'), 1::bigint, 'how many had stayed away');
select is((select count(*) from tests.why('two') as reasons (reason) where reason = 'People are mixed by year: these 4 have 3 of the 3 values on the list.'), 1::bigint, 'what was mixed');

-- Nobody is given away: walls and words change nothing in the answer.
create table tests.before as select app.explain_circle('stanford', tests.slot('two'), 1) as answer;
select tests.blocked('ann', 'ben');
insert into app.feedback (campus_id, time_slot, user_id, rating, created_at) select campus_id, time_slot, user_id, 1, tests.slot('nine') from app.circle_members where time_slot = tests.slot('nine');
insert into app.feedback_about (campus_id, time_slot, user_id, about_id, meet_again, no_show) select 'stanford', tests.slot('nine'), tests.member('ann'), tests.member('ben'), false, false;
update app.time_slots set match_inputs = match_inputs || '{"walls": [[1, 2]]}' where time_slot = tests.slot('two');
select is(app.explain_circle('stanford', tests.slot('two'), 1), answer, 'neither a wall nor what was said shows') from tests.before;

-- After the matching: places given up, members moved, names of then. Six people make two circles of three.
select tests.joined(name, 'four') from unnest('{ann,ben,cas,dan,eva,fay}'::text[]) as names (name);
select app.add_meeting_spot('stanford', 'oak', 'The oak');
delete from app.blocks;
select tests.matches('four');
create table tests.left_by as select display_name, user_id from app.circle_members inner join app.users using (campus_id, user_id) where time_slot = tests.slot('four') and circle_no = 1 order by display_name limit 1;
create table tests.moved as select display_name from app.circle_members inner join app.users using (campus_id, user_id) where time_slot = tests.slot('four') and circle_no = 1 and user_id not in (select user_id from tests.left_by);
select is((select app.cancel_place('stanford', user_id, tests.slot('four')) ->> 'buttonState' from tests.left_by), 'past', 'given one of circle 1 who gives the place up');
select results_eq($$ select right(reason, 4) from tests.why('four', 1) as reasons (reason) where reason like '%gave the place up.' $$, $$ values (' up.') $$, 'who gave the place up');
select is((select count(*) from tests.why('four', 1) as reasons (reason) inner join tests.moved on reason = format('%s went to circle 2, as too few were left here.', display_name)), 2::bigint, 'who went, and where to');
select is((select count(*) from tests.why('four', 2) as reasons (reason) inner join tests.moved on reason = format('%s came from circle 1, which became too small.', display_name)), 2::bigint, 'who came, and from where');
select bag_eq($$ select split_part(person, ' ', 2) from tests.who('four', 2) as people (person) $$, $$ values ('kept'), ('kept'), ('kept'), ('moved_here'), ('moved_here') $$, 'the people of the circle that took them in');
select bag_eq($$ select split_part(person, ' ', 2) from tests.who('four', 1) as people (person) $$, $$ values ('given_up'), ('moved_away'), ('moved_away') $$, 'and of the one that is no more');

select is((select count(*) from tests.why('four', 2) as reasons (reason) where reason = 'They meet at The oak.'), 1::bigint, 'where they meet');
select is(app.cancel_place('stanford', (select user_id from app.users inner join tests.moved using (display_name) order by user_id limit 1), tests.slot('four')) ->> 'buttonState', 'past', 'given one who came gives the place up, too');
select is((select count(*) from tests.why('four', 2) as reasons (reason) where reason like '% came from circle 1, which became too small, and then gave the place up.'), 1::bigint, 'it says both');

-- What can't be explained.
select tests.refused($$ select tests.why('two', 2) $$, 'PT404', 'circle_not_found', 'a circle that is not there');
select tests.refused($$ select tests.why('six') $$, 'PT409', 'not_matched_yet', 'a slot to come');
select tests.refused($$ select tests.why('old') $$, 'PT409', 'inputs_not_kept', 'a past that was invented');
select tests.refused($$ select tests.why('seven') $$, 'PT404', 'slot_not_found', 'no slot');
select tests.refused($$ select app.explain_circle(null, tests.slot('two'), 1) $$, 'PT403', 'no_campus', 'and no campus');

select * from finish();
rollback;
