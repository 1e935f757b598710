-- Leaving: until the deadline, as often as one likes, told to the one who leaves.

begin;
select plan(26);

select is_definer('api', 'leave_waitlist', array['timestamp with time zone'], 'members hold no right to write a table');
select volatility_is('api', 'leave_waitlist', array['timestamp with time zone'], 'volatile', 'it writes');
select tests.may_call('api.leave_waitlist(timestamptz)', '{authenticated}');
select tests.may_call('app.leave_waitlist(text, uuid, timestamptz)', '{}');

-- Given Ann and Ben on the two o'clock list, an hour before its deadline.
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('six', '18:00');
select tests.joined(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select tests.joined('ann', slot) from unnest('{five,six}'::text[]) as slots (slot);
select tests.clock_stands(tests.slot('two') - interval '2 hours');

select tests.act_as('ann');
select is(api.leave_waitlist(tests.slot('two')) ->> 'buttonState', 'join', 'Ann leaves, and may join again');
select results_eq($$ select channel, event, payload ->> 'buttonState', tests.keys(payload) from tests.told() $$,
  $$ values ('user:ann', 'button', 'join', 'buttonState buttonText changesAt deadlineAt endsAt isDisabled middleText pending slotStatus timeSlot version') $$,
  'her other devices hear of it: the whole button');
select results_eq('select * from tests.trail()', $$ values ('waitlist.left', 'ann', 'two', null::jsonb) $$, 'the trail has it');
select tests.repeats('select api.leave_waitlist(tests.slot(''two''))', 'leaving twice gives the same button and writes nothing');
select tests.act_as_nobody();
select results_eq($$ select user_id, left_at from app.waitlist_entries where time_slot = tests.slot('two') order by left_at $$,
  $$ values (tests.member('ann'), tests.slot('two') - interval '2 hours'), (tests.member('ben'), null) $$, 'her row stays and says when; Ben stays on the list');
select ok(
  (select max(version) from app.waitlist_entries) = (select version from app.waitlist_entries where user_id = tests.member('ann') and time_slot = tests.slot('two')),
  'with the greatest version');
select tests.act_as('mia');
select tests.refused('select api.leave_waitlist(tests.slot(''two''))', 'PT404', 'slot_not_found', 'another campus''s slot does not exist for Mia');

-- A clock that was turned back before Ann joined five.
select tests.clock_stands(tests.slot('five') - interval '1 day');
select tests.act_as('ann');
select is(api.leave_waitlist(tests.slot('five')) ->> 'buttonState', 'join', 'leaving works whatever the clock says');
select tests.act_as_nobody();
select is((select left_at = joined_at from app.waitlist_entries where user_id = tests.member('ann') and time_slot = tests.slot('five')), true, 'though nobody leaves before they came');

-- The deadline, a microsecond either side.
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select tests.act_as('ben');
select tests.refused('select api.leave_waitlist(tests.slot(''two''))', 'PT409', 'deadline_passed', 'at the deadline Ben can''t leave any more');
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');
select is(api.leave_waitlist(tests.slot('two')) ->> 'buttonState', 'join', 'a microsecond before he can');
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select tests.repeats('select api.leave_waitlist(tests.slot(''two''))', 'and who left in time may repeat it');
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');
select tests.repeats('select api.leave_waitlist(tests.slot(''five''))', 'who never joined leaves without a trace');
select is(api.leave_waitlist(tests.slot('five')) ->> 'buttonState', 'join', 'and may join');

-- What is written down outweighs the clock.
select tests.act_as_nobody();
select tests.matched('five');
select tests.cancelled('six');
select tests.act_as('ann');
select is(api.leave_waitlist(tests.slot('five')) ->> 'buttonState', 'past', 'Ann, who left before, hears what came of it');
select tests.act_as('ben');
select tests.refused('select api.leave_waitlist(tests.slot(''five''))', 'PT409', 'deadline_passed', 'nobody leaves a matched slot');
select tests.act_as('ann');
select tests.refused('select api.leave_waitlist(tests.slot(''six''))', 'PT409', 'slot_cancelled', 'nor one that was called off');
select tests.refused('select api.leave_waitlist(null)', 'PT404', 'slot_not_found', 'nothing is no slot');
select tests.act_as(null);
select tests.refused('select api.leave_waitlist(tests.slot(''two''))', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.leave_waitlist(tests.slot(''two''))', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('anon');
select throws_ok('select api.leave_waitlist(tests.slot(''two''))', '42501', null, 'a stranger may not call it');
select tests.act_as_nobody();
select tests.refused('select app.leave_waitlist(null, tests.member(''ann''), tests.slot(''two''))', 'PT403', 'no_campus', 'no campus, no slot');

select * from finish();
rollback;
