-- "I can't come after all": from the matching to the start, once, and told to those concerned.

begin;
select plan(20);

select isnt_definer('app', 'cancel_place', array['text', 'uuid', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.cancel_place(text, uuid, timestamptz)', '{}');

-- Given four on the list of two, one who left it, one who is not on it; and a slot called off.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva,fay}'::text[]) as names (name);
select tests.create_slot(name, at) from (values ('two', time '14:00'), ('five', '17:00')) as slots (name, at);
select tests.joined(name, 'two', name = 'eva') from unnest('{ann,ben,cas,dan,eva}'::text[]) as names (name);
select tests.in_circle('ann', 'five');
select tests.cancelled('five');
create function tests.cancels(p_name text, p_slot text default 'two') returns text
language sql as $$ select app.cancel_place('stanford', tests.member(p_name), tests.slot(p_slot)) ->> 'buttonState' $$;

select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');
select tests.refused($$ select tests.cancels('ann') $$, 'PT409', 'not_matched_yet', 'before the deadline there is a list to leave, and no place');
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select tests.refused($$ select tests.cancels('ann') $$, 'PT409', 'not_matched_yet', 'nor between the deadline and the matching');
select app.match_time_slot('stanford', tests.slot('two'), 1);
select is_empty('select from tests.told() limit 0', 'given circles');

-- The right person, and wrong ones.
select is(tests.cancels('ann'), 'past', 'Ann gives up her place: there is nothing left to press');
select results_eq($$ select action, member from tests.trail() where action like 'circle%' $$, $$ values ('circle.left', 'ann') $$, 'with a line in the trail');
select tests.repeats($$ select app.cancel_place('stanford', tests.member('ann'), tests.slot('two')) $$, 'the second time is the first');
select results_eq($$ select * from tests.circles('two') $$, $$ values ('ben cas dan') $$, 'three are left');
select tests.refused($$ select tests.cancels('eva') $$, 'PT404', 'no_circle', 'who left the list has no place');
select tests.refused($$ select tests.cancels('fay') $$, 'PT404', 'no_circle', 'nor has who was never on it');
select tests.refused($$ select tests.cancels('ann', 'five') $$, 'PT409', 'slot_cancelled', 'nor who was to meet in a slot that was called off');
select tests.refused($$ select tests.cancels('ann', 'nine') $$, 'PT404', 'slot_not_found', 'nor is there a place in no slot');
select tests.refused($$ select app.cancel_place(null, tests.member('ann'), tests.slot('two')) $$, 'PT403', 'no_campus', 'nor in no campus');

-- To the microsecond of the start.
select tests.clock_stands(tests.slot('two') - interval '1 us');
savepoint before;
select is(tests.cancels('ben'), 'past', 'a microsecond before the start it can be given up');
rollback to before;
select tests.clock_stands(tests.slot('two'));
select tests.refused($$ select tests.cancels('ben') $$, 'PT409', 'meeting_begun', 'at the start it can''t');
select is(tests.cancels('ann'), 'past', 'and who did so in time and asks again is answered');

-- Not a way to speak for others, nor after the account is gone.
select is((select count(*) from app.circle_members where cancelled_at is null and time_slot = tests.slot('two')), 3::bigint, 'nobody else has lost a place');
update app.user_campuses set closed_at = now() where user_id = tests.member('cas');
select tests.refused($$ select tests.cancels('cas') $$, 'PT401', 'account_deleted', 'who has deleted the account cancels nothing');
-- A matched slot stays matched when the clock is turned back.
select tests.clock_stands(tests.slot('two') - interval '5 hours');
select is(tests.cancels('dan'), 'past', 'a clock that was turned back takes no place away from who has one, nor the right to give it up');

select * from finish();
rollback;
