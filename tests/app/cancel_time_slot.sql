-- Calling a slot off: for good, until its end; who was on the list hears it, and nobody has met in it.

begin;
select plan(26);

select isnt_definer('app', 'cancel_time_slot', array['text', 'timestamp with time zone', 'text'], 'called from definers only');
select volatility_is('app', 'cancel_time_slot', array['text', 'timestamp with time zone', 'text'], 'volatile', 'it writes');
select tests.may_call('app.cancel_time_slot(text, timestamptz, text)', '{}');

-- Given Ann and Ben on the lists of five and six, Ivy who has left five, and a circle of Ann, Ben and Cas at two.
select tests.create_member(name) from unnest('{ann,ben,cas,ivy}'::text[]) as names (name);
select tests.create_slot(slot, at) from (values ('one', time '13:00'), ('two', '14:00'), ('five', '17:00'), ('six', '18:00')) as slots (slot, at);
select tests.joined(name, slot) from unnest('{ann,ben}'::text[]) as names (name) cross join unnest('{five,six}'::text[]) as slots (slot);
select tests.joined('ivy', 'five', true);
select tests.joined(name, slot) from unnest('{ann,ben,cas}'::text[]) as names (name) cross join unnest('{one,two}'::text[]) as slots (slot);
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select app.match_time_slot('stanford', tests.slot(slot)) from unnest('{one,two}'::text[]) as slots (slot);
delete from events.outbox;
delete from audit.log;
create table tests.was as select max(version) as version from app.time_slots;
create function tests.cancel(p_slot text, p_reason text default 'called_off') returns jsonb
language sql as $$ select app.cancel_time_slot('stanford', tests.slot(p_slot), p_reason) $$;

-- An open slot.
set local timezone = 'Asia/Tokyo';
select is(tests.cancel('five') - 'version', '{"timeSlot": "2030-06-12T17:00:00-07:00", "deadlineAt": "2030-06-12T16:00:00-07:00", "endsAt": "2030-06-12T17:20:00-07:00", "slotStatus": "cancelled"}',
  'an open slot is called off: what everyone may know, in the campus''s zone');
select results_eq($$ select cancelled_at, matched_at from app.time_slots where time_slot = tests.slot('five') $$, $$ values (tests.slot('two') - interval '1 hour', null::timestamptz) $$, 'it keeps when');
select cmp_ok((select version from app.time_slots where time_slot = tests.slot('five')), '>', (select version from tests.was), 'with a greater version');
select results_eq($$ select channel, event, payload ->> 'slotStatus', payload ->> 'buttonState' from tests.told() order by event desc, channel $$,
  $$ values ('campus:stanford', 'slot', 'cancelled', null), ('user:ann', 'button', 'cancelled', 'past'), ('user:ben', 'button', 'cancelled', 'past') $$,
  'the campus hears it, and everyone on the list gets their button; Ivy does not');
select results_eq('select * from tests.trail()', $$ values ('slot.cancelled', null, 'five', '{"reason": "called_off"}'::jsonb) $$, 'the trail has it, and why');
select tests.repeats($$ select tests.cancel('five') $$, 'calling off twice gives the same answer and writes nothing');
select is_empty('select * from tests.told()', 'nor is it told again');
select is((select count(*) from app.waitlist_entries where time_slot = tests.slot('five') and left_at is null), 2::bigint, 'the list stays in the books');

-- A matched slot: of two meetings one is left.
select results_eq('select distinct meetings_count, last_met_at from app.meetings', $$ values (2, tests.slot('two')) $$, 'all have met twice');
select is(tests.cancel('two') ->> 'slotStatus', 'cancelled', 'a matched slot is called off');
select results_eq('select distinct meetings_count, last_met_at from app.meetings', $$ values (1, tests.slot('one')) $$, 'then they have met once, at one');
select is((select count(*) from tests.circles('two')), 1::bigint, 'the circle stays in the books');
select is(count(*) filter (where event = 'button' and payload ->> 'buttonState' = 'past'), 3::bigint, 'its three people hear that their button is past') from tests.told();
select is(app.button('stanford', tests.member('ann'), tests.slot('two'), tests.slot('two') + interval '1 day') ->> 'buttonState', 'past', 'and is never asked for feedback');

-- The end, a microsecond either side.
select tests.clock_stands(tests.slot('six') + interval '20 minutes');
select tests.refused($$ select tests.cancel('six') $$, 'PT409', 'slot_ended', 'at its end what took place did');
select is(tests.cancel('five') ->> 'slotStatus', 'cancelled', 'though the answer about what was called off before stays');
select tests.clock_stands(tests.slot('six') + interval '20 minutes' - interval '1 us');
select is(tests.cancel('six') ->> 'slotStatus', 'cancelled', 'a microsecond before it can be called off');
select tests.clock_stands(tests.slot('one') + interval '1 year');
select tests.refused($$ select tests.cancel('one') $$, 'PT409', 'slot_ended', 'long after it can''t');
select tests.create_slot('ten', '10:00');
select is(tests.cancel('ten', 'missed') ->> 'slotStatus', 'cancelled', 'unless nobody ran its deadline');
select is((select details from tests.trail() where slot = 'ten'), '{"reason": "missed"}', 'which the trail says');

select tests.refused($$ select tests.cancel(null) $$, 'PT404', 'slot_not_found', 'nothing is no slot');
select tests.refused($$ select app.cancel_time_slot('mit', tests.slot('two')) $$, 'PT404', 'slot_not_found', 'another campus has no such slot');
select tests.refused($$ select app.cancel_time_slot(null, tests.slot('two')) $$, 'PT403', 'no_campus', 'no campus, no slot');

select * from finish();
rollback;
