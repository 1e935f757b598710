-- Feedback: from the end on, by those who were in a circle, once.

begin;
select plan(37);

select isnt_definer('app', 'submit_feedback', array['text', 'uuid', 'timestamp with time zone', 'integer', 'text', 'jsonb'], 'called from definers only');
select tests.may_call('app.submit_feedback(text, uuid, timestamptz, integer, text, jsonb)', '{}');

-- Given a circle of Ann, Ben and Cas, where Cas gave up the place; Eva was left out, Fay never joined.
select tests.create_member(name) from unnest('{ann,ben,cas,eva,fay}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('six', '18:00');
select tests.in_circle(name, slot) from unnest('{ann,ben,cas}'::text[]) as names (name) cross join unnest('{two,five}'::text[]) as slots (slot);
select tests.joined('eva', 'two');
select tests.joined('ann', 'six');
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('cas') and time_slot = tests.slot('two');
select tests.cancelled('five');
create function tests.said(p_name text, p_slot text, p_rating integer default 5, p_comment text default null, p_about jsonb default null) returns json
language sql as $$ select app.submit_feedback('stanford', tests.member(p_name), tests.slot(p_slot), p_rating, p_comment, p_about) $$;
create function tests.version_of(p_name text) returns bigint
language sql as $$ select version from app.waitlist_entries where user_id = tests.member(p_name) and time_slot = tests.slot('two') $$;

-- The end, a microsecond either side.
select tests.clock_stands(tests.slot('two') + interval '20 minutes' - interval '1 us');
select tests.refused($$ select tests.said('ann', 'two') $$, 'PT409', 'feedback_not_open', 'a microsecond before the end the meeting is still on');
select tests.refused($$ select tests.said('eva', 'two') $$, 'PT404', 'no_circle_formed', 'who was left out hears that, not to come back later');
select tests.clock_stands(tests.slot('two') + interval '20 minutes');

-- What is not allowed writes nothing.
select tests.refused(format($f$ select tests.said('ann', 'two', %L) $f$, rating), 'PT422', 'rating_invalid', coalesce(rating::text, 'nothing') || ' is no rating')
from (values (0), (6), (-1), (2147483647), (null)) as ratings (rating);
select tests.refused($$ select tests.said('ann', 'two', 5, repeat('x', 2001)) $$, 'PT422', 'comment_invalid', 'a comment of 2001 characters is too long');
select tests.refused($$ select tests.said('ann', 'two', 5, null, '{}') $$, 'PT422', 'about_invalid', 'what is said about mates is a list');
select is_empty('select from app.feedback', 'nothing of all that was kept');
select tests.refused($$ select tests.said('eva', 'two') $$, 'PT404', 'no_circle_formed', 'who was left out has nothing to say');
select tests.refused($$ select tests.said('fay', 'two') $$, 'PT404', 'no_circle', 'nor has who never joined');
select tests.refused($$ select tests.said('cas', 'two') $$, 'PT404', 'no_circle', 'nor who gave up the place');
select tests.refused($$ select tests.said('ann', 'five') $$, 'PT409', 'slot_cancelled', 'nobody met in a slot that was called off');
select tests.refused($$ select tests.said('ann', 'six') $$, 'PT409', 'not_matched_yet', 'nor yet in one that is open');
select tests.refused($$ select tests.said('ann', null) $$, 'PT404', 'slot_not_found', 'nothing is no slot');
select tests.refused($$ select app.submit_feedback(null, tests.member('ann'), tests.slot('two'), 5, null, null) $$, 'PT403', 'no_campus', 'no campus, no slot');

-- At the end Ann speaks: in the longest words, about everyone, Cas who did not come included.
create table tests.before as select tests.version_of('ann') as version;
select is(
  tests.said('ann', 'two', 1, '  ' || repeat('x', 2000) || ' ', jsonb_build_array(
    jsonb_build_object('userId', tests.member('ben'), 'meetAgain', true), jsonb_build_object('userId', tests.member('cas'), 'noShow', true)
  ))::jsonb - 'version' - 'timeSlot' - 'deadlineAt' - 'endsAt',
  '{"buttonState": "past", "buttonText": "Past", "middleText": "Confirmed at 1PM", "isDisabled": true, "slotStatus": "ended", "pending": false, "changesAt": null}',
  'at the end feedback is open, and gives the new button');
select results_eq('select user_id, rating::integer, length(comment), created_at from app.feedback',
  $$ values (tests.member('ann'), 1, 2000, tests.slot('two') + interval '20 minutes') $$, 'kept: trimmed, with the app''s time');
select results_eq('select user_id, about_id, meet_again, no_show from app.feedback_about order by no_show',
  $$ values (tests.member('ann'), tests.member('ben'), true, false), (tests.member('ann'), tests.member('cas'), null, true) $$, 'and what she said about each');
select cmp_ok(tests.version_of('ann'), '>', (select version from tests.before), 'her button has a greater version');
select results_eq($$ select channel, event, (payload ->> 'version')::bigint from tests.told() $$, $$ values ('user:ann', 'button', tests.version_of('ann')) $$, 'which she is told');
select results_eq('select * from tests.trail()', $$ values ('feedback.given', 'ann', 'two', null::jsonb) $$, 'the trail has that she spoke, not what she said');

-- Once. The same again, in another order and spelling, is no second time.
select tests.repeats(format($f$ select tests.said('ann', 'two', 1, %L, %L) $f$, repeat('x', 2000) || '  ', jsonb_build_array(
  jsonb_build_object('userId', tests.member('cas'), 'noShow', true, 'meetAgain', null), jsonb_build_object('userId', upper(tests.member('ben')::text), 'meetAgain', true, 'noShow', false)
)), 'the same words again give the same button and write nothing');
select is_empty('select * from tests.told()', 'nor are they told again');
select tests.refused($$ select tests.said('ann', 'two', 2, repeat('x', 2000), app.stored_feedback_about('stanford', tests.member('ann'), tests.slot('two'))) $$, 'PT409', 'feedback_given', 'another rating is refused');
select tests.refused($$ select tests.said('ann', 'two', 1, 'y', app.stored_feedback_about('stanford', tests.member('ann'), tests.slot('two'))) $$, 'PT409', 'feedback_given', 'so is another comment');
select tests.refused($$ select tests.said('ann', 'two', 1, repeat('x', 2000)) $$, 'PT409', 'feedback_given', 'so is saying less');
select is((select count(*) from app.feedback_about), 2::bigint, 'and nothing is lost');
select is(tests.said('ben', 'two', 3, '   ') ->> 'buttonState', 'past', 'Ben says nothing in words');
select is((select comment from app.feedback where user_id = tests.member('ben')), null, 'which is no comment');
select tests.repeats($$ select tests.said('ben', 'two', 3) $$, 'a blank comment and none are the same');
select tests.clock_stands(tests.slot('two') + interval '5 years');
select is(tests.said('ben', 'two', 3) ->> 'buttonState', 'past', 'nor does time change it');

-- What mates say is theirs: Gus and Hal met at eight; Hal says 3.
select tests.create_member(name) from unnest('{gus,hal}'::text[]) as names (name);
select tests.create_slot('eight', '08:00');
select tests.in_circle(name, 'eight') from unnest('{gus,hal}'::text[]) as names (name);
select tests.said('hal', 'eight', 3);
create temporary table before_gus as select version from app.waitlist_entries where user_id = tests.member('hal');
select tests.said('gus', 'eight', 4);
select tests.refused($$ select tests.said('gus', 'eight', 3) $$, 'PT409', 'feedback_given', 'what Hal said is no repetition of what Gus said');
select results_eq($$ select version from app.waitlist_entries where user_id = tests.member('hal') $$, 'select version from before_gus', 'and Hal''s button is not changed by it');

select * from finish();
rollback;
