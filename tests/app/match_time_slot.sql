-- The matching: at the deadline, once, all of it or nothing.

begin;
select plan(33);

select isnt_definer('app', 'match_time_slot', array['text', 'timestamp with time zone', 'bigint'], 'called from definers only');
select volatility_is('app', 'match_time_slot', array['text', 'timestamp with time zone', 'bigint'], 'volatile', 'it writes');
select tests.may_call('app.match_time_slot(text, timestamptz, bigint)', '{}');

-- Given nine people on the two o'clock list, of whom Ivy has left, and a wall between Ann and Ben; two on that of five.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva,fay,gil,hal,ivy}'::text[]) as names (name);
select tests.create_slot(slot, at) from (values ('two', time '14:00'), ('five', '17:00'), ('six', '18:00'), ('seven', '19:00')) as slots (slot, at);
select tests.joined(name, 'two', name = 'ivy') from unnest('{ann,ben,cas,dan,eva,fay,gil,hal,ivy}'::text[]) as names (name);
select tests.joined(name, 'five') from unnest('{ann,ben}'::text[]) as names (name);
select tests.blocked('ben', 'ann');
select app.add_meeting_spot('stanford', 'steps', 'Library steps');
delete from audit.log;
create table tests.was as select time_slot, version from app.time_slots;
create function tests.matching(p_slot text, p_seed bigint default 7) returns jsonb
language sql as $$ select app.match_time_slot('stanford', tests.slot(p_slot), p_seed) $$;
create function tests.drawn(p_seed bigint) returns text language plpgsql as $$
declare
  v_circles text;
begin
  perform tests.matching('two', p_seed);
  v_circles := array_to_string(array(select tests.circles('two')), ' | ');
  raise exception 'undo';
exception when raise_exception then
  return v_circles;
end $$;

-- The deadline, a microsecond either side.
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');
select tests.refused($$ select tests.matching('two') $$, 'PT409', 'deadline_not_reached', 'a microsecond before the deadline the list is still open');
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select is(tests.drawn(7), tests.drawn(7), 'the same seed gives the same circles');
select cmp_ok((select count(distinct tests.drawn(seed)) from generate_series(1, 20) as seeds (seed)), '>', 5::bigint, 'other seeds give others');
select is_empty($$ select from generate_series(1, 20) as seeds (seed) where tests.drawn(seed) ~ 'ann[^|]*ben' $$, 'a wall parts the two under each');
select is_empty('select * from tests.told()', 'of what was rolled back nothing is told');

set local timezone = 'Asia/Tokyo';
select is(tests.matching('two') - 'quality', jsonb_build_object('campusId', 'stanford', 'timeSlot', '2030-06-12T14:00:00-07:00', 'matchedAt', '2030-06-12T13:00:00-07:00',
  'seed', 7, 'people', 8, 'circles', 2, 'leftOut', 0, 'repeatedPairs', 0, 'circlesWithoutSpot', 1), 'at the deadline it is matched: the report, in the campus''s zone');
select results_eq($$ select matched_at, match_seed, match_report, cancelled_at from app.time_slots where time_slot = tests.slot('two') $$,
  $$ values (tests.slot('two') - interval '1 hour', 7::bigint, tests.matching('two'), null::timestamptz) $$, 'the slot keeps seed and report');
select cmp_ok((select version from app.time_slots where time_slot = tests.slot('two')), '>', (select max(version) from tests.was), 'and has a greater version');
select results_eq($$ select cardinality(string_to_array(circle, ' ')) from tests.circles('two') as circle $$, array[4, 4], 'eight people make two circles of four');
select is((select string_agg(name, ' ' order by name) from tests.circles('two') as circle, unnest(string_to_array(circle, ' ')) as names (name)),
  'ann ben cas dan eva fay gil hal', 'everyone on the list is in one, and Ivy, who left, is not');
select is((select count(*) from app.meetings where meetings_count = 1 and last_met_at = tests.slot('two')), 12::bigint, 'six pairs of each circle have met');

-- Told: the slot to the campus, then each one's button, then each one's circle; in the trail once.
create table tests.heard as select * from tests.told() with ordinality as told (channel, event, payload, number);
select results_eq($$ select event, count(*)::integer, min(number)::integer from tests.heard group by event order by 3 $$,
  $$ values ('slot', 1, 1), ('circle', 8, 2), ('button', 8, 10) $$, 'the slot first, then eight circles, then eight buttons');
select results_eq($$ select channel, payload ->> 'slotStatus', tests.keys(payload) from tests.heard where event = 'slot' $$,
  $$ values ('campus:stanford', 'matched', 'deadlineAt endsAt joined slotStatus timeSlot version') $$, 'the campus hears that the slot is matched');
select is((select count(distinct channel) from tests.heard where event = 'button' and payload ->> 'buttonState' = 'confirmed'), 8::bigint, 'eight people that they are confirmed');
select is((select count(distinct channel) from tests.heard where event = 'circle' and jsonb_array_length(payload -> 'members') = 4), 8::bigint, 'and with whom');
select results_eq('select * from tests.trail()', $$ values ('slot.matched', null, 'two', tests.matching('two')) $$, 'the trail has the report');
select tests.repeats($$ select tests.matching('two', 8) $$, 'matching twice, with whatever seed, gives the first report and writes nothing');
select is_empty('select * from tests.told()', 'nor tells it again');
select tests.clock_stands(tests.slot('two') + interval '1 day');
select is(tests.matching('two') ->> 'seed', '7', 'nor is it too late for the report');

-- Too few people, nobody at all, and the end, a microsecond either side.
select tests.clock_stands(tests.slot('five') + interval '20 minutes');
select tests.refused($$ select tests.matching('five') $$, 'PT409', 'slot_ended', 'at the end nobody is put into a circle that never met');
select is((select matched_at from app.time_slots where time_slot = tests.slot('five')), null, 'and the slot stays as it is');
select tests.clock_stands(tests.slot('five') + interval '20 minutes' - interval '1 us');
select is(tests.matching('five', null) - array['campusId', 'timeSlot', 'matchedAt', 'seed', 'quality'], '{"people": 2, "circles": 0, "leftOut": 2, "repeatedPairs": 0, "circlesWithoutSpot": 0}', 'two people make no circle');
select ok((match_report -> 'seed')::bigint between 0 and 9007199254740991 and match_seed = (match_report -> 'seed')::bigint, 'a seed that was not given is drawn, exact in JSON, and kept')
from app.time_slots where time_slot = tests.slot('five');
select results_eq($$ select channel, event, coalesce(payload ->> 'buttonState', payload ->> 'slotStatus', payload ->> 'reason') from tests.told() order by 2, 1 $$,
  $$ values ('user:ann', 'button', 'past'), ('user:ben', 'button', 'past'), ('user:ann', 'circle', 'no_circle_formed'), ('user:ben', 'circle', 'no_circle_formed'), ('campus:stanford', 'slot', 'matched') $$,
  'who is left out hears it');
select tests.clock_stands(tests.slot('six') + interval '1 day');
select is(tests.matching('six') -> 'people', '0', 'a list with nobody on it is matched even after the end');
select is((select count(*) from tests.told()), 1::bigint, 'which only the campus hears');

select tests.cancelled('seven');
select tests.refused($$ select tests.matching('seven') $$, 'PT409', 'slot_cancelled', 'what was called off is not matched');
select tests.refused($$ select tests.matching(null) $$, 'PT404', 'slot_not_found', 'nothing is no slot');
select tests.refused($$ select app.match_time_slot('mit', tests.slot('two')) $$, 'PT404', 'slot_not_found', 'another campus has no such slot');
select tests.refused($$ select app.match_time_slot(null, tests.slot('two')) $$, 'PT403', 'no_campus', 'no campus, no slot');

select * from finish();
rollback;
