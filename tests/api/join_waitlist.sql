-- Joining: until the deadline, once, told to the one who joins.

begin;
select plan(29);

select is_definer('api', 'join_waitlist', array['timestamp with time zone'], 'members hold no right to write a table');
select volatility_is('api', 'join_waitlist', array['timestamp with time zone'], 'volatile', 'it writes');
select tests.may_call('api.join_waitlist(timestamptz)', '{authenticated}');
select tests.may_call('app.join_waitlist(text, uuid, timestamptz)', '{}');

-- Given Ann and Ben, and slots at two and five, an hour before the first deadline.
select tests.create_member(name) from unnest('{ann,ben,cid}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('six', '18:00');
select tests.create_slot('mits', '10:00', 'mit');
select tests.clock_stands(tests.slot('two') - interval '2 hours');
set local timezone = 'America/Los_Angeles';

select tests.act_as('ann');
select is(api.join_waitlist(tests.slot('two'))::jsonb - 'version',
  '{"buttonState": "leave", "buttonText": "Can''t Go", "middleText": "Decide by 1PM", "isDisabled": false,
    "timeSlot": "2030-06-12T14:00:00-07:00", "deadlineAt": "2030-06-12T13:00:00-07:00", "endsAt": "2030-06-12T14:20:00-07:00",
    "slotStatus": "open", "pending": false, "changesAt": "2030-06-12T13:00:00-07:00"}', 'Ann joins and gets her new button');
select results_eq('select * from tests.told()',
  $$ values ('user:ann', 'button', api.get_button_states(tests.day())::jsonb #> '{slots,0}') $$, 'her other devices hear of the very same button');
select results_eq('select * from tests.trail()', $$ values ('waitlist.joined', 'ann', 'two', null::jsonb) $$, 'the trail has it');
select tests.repeats('select api.join_waitlist(tests.slot(''two''))', 'joining twice gives the same button and writes nothing');
select is_empty('select * from tests.told()', 'nor is it told again');
select results_eq('select time_slot, joined_at from api.waitlist_entries',
  $$ values (tests.slot('two'), tests.slot('two') - interval '2 hours') $$, 'she is on that list since then, and on no other');

-- Leaving and joining again: each answer has a greater version.
select tests.clock_stands(tests.slot('two') - interval '90 minutes');
select ok(v[1] < v[2] and v[2] < v[3], 'she leaves and comes back: versions grow') from (
  select array[
    (api.join_waitlist(tests.slot('two')) ->> 'version')::bigint,
    (api.leave_waitlist(tests.slot('two')) ->> 'version')::bigint,
    (api.join_waitlist(tests.slot('two')) ->> 'version')::bigint
  ] as v offset 0
) as answers;
select is((select joined_at from api.waitlist_entries), tests.slot('two') - interval '90 minutes', 'coming back counts from then');

-- The deadline, a microsecond either side.
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');
select tests.act_as('ben');
select is(api.join_waitlist(tests.slot('two')) ->> 'buttonState', 'leave', 'a microsecond before the deadline Ben still joins');
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select tests.repeats('select api.join_waitlist(tests.slot(''two''))', 'who is on the list may repeat it at the deadline, and changes nothing');
select is(api.join_waitlist(tests.slot('two')) ->> 'buttonState', 'past', 'and hears what the button says now');
select tests.act_as('cid');
select tests.refused('select api.join_waitlist(tests.slot(''two''))', 'PT409', 'deadline_passed', 'for who is not, it is too late');
select tests.act_as('mia');
select tests.refused('select api.join_waitlist(tests.slot(''five''))', 'PT404', 'slot_not_found', 'another campus''s slot does not exist for Mia');
select tests.refused('select api.join_waitlist(tests.slot(''mits''))', 'PT409', 'deadline_passed', 'her own does, and is over');

-- What is written down outweighs the clock.
select tests.act_as_nobody();
select tests.matched('five');
select tests.cancelled('six');
select tests.act_as('ann');
select tests.refused('select api.join_waitlist(tests.slot(''five''))', 'PT409', 'deadline_passed', 'a matched slot never reopens');
select tests.refused('select api.join_waitlist(tests.slot(''six''))', 'PT409', 'slot_cancelled', 'nor does one that was called off');
select tests.clock_stands(tests.slot('six'));
select tests.refused('select api.join_waitlist(tests.slot(''six''))', 'PT409', 'slot_cancelled', 'after its deadline, too, that is the reason');

-- No slot, no member, no right.
select tests.refused(format('select api.join_waitlist(%L)', at), 'PT404', 'slot_not_found', at || ' is no slot')
from unnest(array['infinity', (tests.slot('two') + interval '1 us')::text]) as no_slots (at);
select tests.refused('select api.join_waitlist(null)', 'PT404', 'slot_not_found', 'nor is nothing');
select tests.act_as(null);
select tests.refused('select api.join_waitlist(tests.slot(''two''))', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as(null, '{"sub": "00000000-0000-4000-8000-000000000000"}');
select tests.refused('select api.join_waitlist(tests.slot(''two''))', 'PT403', 'no_campus', 'a member without a campus');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.join_waitlist(tests.slot(''two''))', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('service_role');
select throws_ok('select api.join_waitlist(tests.slot(''two''))', '42501', null, 'a trusted server joins through the view');
select tests.act_as_nobody();
select tests.refused('select app.join_waitlist(null, tests.member(''ann''), tests.slot(''two''))', 'PT403', 'no_campus', 'no campus, no slot');

select * from finish();
rollback;
