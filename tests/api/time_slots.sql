-- Public slots: the same for everyone, cacheable.

begin;
select plan(25);

select is_definer('api', 'time_slots', 'nobody may read the tables');
select volatility_is('api', 'time_slots', 'stable', 'so GET works');
select function_privs_are('api', 'time_slots', array['text', 'date'], role, array['EXECUTE'], role || ' may ask')
from unnest(array['anon', 'authenticated', 'service_role']) as r (role);

select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.create_slot('late', '23:30');
select tests.cancelled('late');
select tests.clock('12:59:57');
set local timezone = 'Asia/Tokyo';

select tests.act_as_role('anon');
select is(api.time_slots('stanford') - 'slots', '{"campusId": "stanford", "timeZone": "America/Los_Angeles", "day": "2030-06-12"}', 'today on the campus');
select is(tests.header('Cache-Control'), 'public, max-age=2', 'kept for the whole seconds before the next deadline');
select is(jsonb_array_length(api.time_slots('stanford') -> 'slots'), 3, 'all slots of the day');
select is((api.time_slots('stanford') #> '{slots,1}') - 'version',
  '{"timeSlot": "2030-06-12T14:00:00-07:00", "deadlineAt": "2030-06-12T13:00:00-07:00", "endsAt": "2030-06-12T14:20:00-07:00", "slotStatus": "open"}',
  'a slot in full, in the campus''s zone');
select is(api.time_slots('stanford') #>> '{slots,0,slotStatus}', 'ended', 'the first has ended');
select is(api.time_slots('stanford') #>> '{slots,2,slotStatus}', 'cancelled', 'the last was called off');
select tests.clock('13:00');
select is(api.time_slots('stanford') #>> '{slots,1,slotStatus}', 'matching', 'at the deadline it is being matched');
select is(tests.header('Cache-Control'), 'public, max-age=10', 'never kept for longer than ten seconds');
select tests.matched('two');
select is(api.time_slots('stanford') #>> '{slots,1,slotStatus}', 'matched', 'then matched');
select is(api.time_slots('stanford', '2030-06-13') -> 'slots', '[]', 'a day without slots is an empty list');
select tests.refused($$ select api.time_slots('nowhere') $$, 'PT404', 'campus_not_found', 'no such campus');
select tests.refused($$ select api.time_slots(null) $$, 'PT404', 'campus_not_found', 'no campus');
select tests.refused($$ select api.time_slots(E'x\r\nX-Accel-Redirect: /y') $$, 'PT404', 'campus_not_found', 'no header either');
select tests.refused($$ select api.time_slots('stanford', '1999-12-31') $$, 'PT422', 'day_invalid', 'too early');
select tests.refused($$ select api.time_slots('stanford', '2200-01-01') $$, 'PT422', 'day_invalid', 'too late');

-- Within the last second it is not kept at all: an answer never outlives the deadline.
select tests.act_as_nobody();
select tests.clock('13:59:59.5');
select tests.create_slot('three', '15:00');
select tests.act_as_role('anon');
select is(api.time_slots('stanford') #>> '{slots,2,slotStatus}', 'open', 'half a second before a deadline the slot is open');
select is(tests.header('Cache-Control'), 'public, max-age=0', 'and the answer is not kept');

-- Havana's midnight of 2027-11-07 comes twice: 00:30 is on that day both times, and on no other.
select tests.act_as_nobody();
select tests.create_campus('havana', 'America/Havana');
update app.campuses set slot_times = array['00:30', '23:30']::time[], open_days_ahead = 1 where campus_id = 'havana';
select app.open_campus_slots('havana', '2027-11-06 12:00+00');
select tests.act_as_role('anon');
select is(
  array(select slot ->> 'timeSlot' from jsonb_array_elements(api.time_slots('havana', day) -> 'slots') as slot), slots, day || ' has its own slots')
from (values
  (date '2027-11-06', array['2027-11-06T23:30:00-04:00']),
  ('2027-11-07', array['2027-11-07T00:30:00-04:00', '2027-11-07T23:30:00-05:00']),
  ('2027-11-08', array[]::text[])
) as days (day, slots);

select * from finish();
rollback;
