-- Feedback, as a member gives it. Its rules: tests/app/submit_feedback.sql.

begin;
select plan(17);

select is_definer('api', 'submit_feedback', array['timestamp with time zone', 'integer', 'text', 'jsonb'], 'members hold no right to write a table');
select volatility_is('api', 'submit_feedback', array['timestamp with time zone', 'integer', 'text', 'jsonb'], 'volatile', 'it writes');
select tests.may_call('api.submit_feedback(timestamptz, integer, text, jsonb)', '{authenticated}');

-- Given Ann, Ben and Cas, whose meeting is over, and Dan of another circle.
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.clock('14:30');

select tests.act_as('ann');
select is(
  api.submit_feedback(tests.slot('two'), 4, ' Nice. ', jsonb_build_array(
    jsonb_build_object('userId', tests.member('ben'), 'meetAgain', true), jsonb_build_object('userId', tests.member('cas'), 'noShow', true)
  )) ->> 'buttonState', 'past', 'Ann says how it was: her button is done');
select results_eq('select channel, event, payload ->> ''buttonState'' from tests.told()', $$ values ('user:ann', 'button', 'past') $$, 'her other devices hear of it, and nobody else');
select results_eq('select * from tests.trail()', $$ values ('feedback.given', 'ann', 'two', null::jsonb) $$, 'the trail has it, without her words');
select results_eq('select time_slot, rating, comment from api.feedback', $$ values (tests.slot('two'), 4::smallint, 'Nice.') $$, 'she can read what she said');
select tests.refused('select api.submit_feedback(tests.slot(''two''), 5)', 'PT409', 'feedback_given', 'and can''t change it');
select tests.act_as('ben');
select is_empty('select from api.feedback', 'Ben can''t read it');
select is(api.submit_feedback(tests.slot('two'), 2) ->> 'buttonState', 'past', 'Ben needs to say no more than a number');
select tests.repeats('select api.submit_feedback(tests.slot(''two''), 2)', 'and may say the same again');
select tests.refused(format('select api.submit_feedback(tests.slot(''two''), 2, null, %L)', jsonb_build_array(jsonb_build_object('userId', tests.member('ann'), 'meetAgain', false))),
  'PT409', 'feedback_given', 'but can''t add to it');

-- The wrong people.
select tests.act_as('cas');
select tests.refused(format('select api.submit_feedback(tests.slot(''two''), 2, null, %L)', jsonb_build_array(jsonb_build_object('userId', tests.member('dan'), 'noShow', true))),
  'PT422', 'about_invalid', 'Cas was not with Dan');
select tests.act_as('mia');
select tests.refused('select api.submit_feedback(tests.slot(''two''), 5)', 'PT404', 'slot_not_found', 'Mia''s campus has no such slot');
select tests.act_as(null);
select tests.refused('select api.submit_feedback(tests.slot(''two''), 5)', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('cas', '{"campus_id": "mit"}');
select tests.refused('select api.submit_feedback(tests.slot(''two''), 5)', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('service_role');
select throws_ok('select api.submit_feedback(tests.slot(''two''), 5)', '42501', null, 'nobody speaks for a member, not even a trusted server');

select * from finish();
rollback;
