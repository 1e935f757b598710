-- Every slot of a day in one call, as the caller sees it.

begin;
select plan(39);

select is_definer('api', 'get_button_states', array['date'], 'members hold no right on the tables');
select volatility_is('api', 'get_button_states', array['date'], 'stable', 'so GET and READ ONLY transactions will do');
select function_privs_are('api', 'get_button_states', array['date'], 'authenticated', array['EXECUTE']);
select function_privs_are('api', 'get_button_states', array['date'], 'anon', array[]::text[]);
select function_privs_are('api', 'get_button_states', array['date'], 'service_role', array[]::text[]);

-- Given Ann and Ben, and four slots on one day: Ann is on the list of the second, has left that of the third.
select tests.create_member('ann');
select tests.create_member('ben');
select tests.create_member('mia', 'mit');
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('late', '23:30');
select tests.create_slot('mits', '14:00', 'mit');
select tests.joined('ann', 'two');
select tests.joined('ann', 'five', true);
select tests.clock('12:00');
set local timezone = 'America/Los_Angeles';

create function tests.seen(p_name text) returns jsonb language sql as $$
  select slot from jsonb_array_elements(api.get_button_states(tests.day())::jsonb -> 'slots') as slots (slot)
  where (slot ->> 'timeSlot')::timestamptz = tests.slot(p_name)
$$;

select tests.act_as('ann');
select is(array(select json_object_keys(api.get_button_states()) order by 1), array['now', 'slots'], 'now and slots');
select is(
  (select array_agg((slot ->> 'timeSlot')::timestamptz order by n) from json_array_elements(api.get_button_states() -> 'slots') with ordinality as s (slot, n)),
  array[tests.slot('eleven'), tests.slot('two'), tests.slot('five'), tests.slot('late')],
  'today''s slots of the own campus, in order, by the app clock');
select is(tests.seen('two') - 'version', jsonb_build_object(
  'buttonState', 'leave', 'buttonText', 'Can''t Go', 'middleText', 'Decide by 1PM', 'isDisabled', false,
  'timeSlot', '2030-06-12T14:00:00-07:00', 'deadlineAt', '2030-06-12T13:00:00-07:00', 'endsAt', '2030-06-12T14:20:00-07:00',
  'slotStatus', 'open', 'pending', false, 'changesAt', '2030-06-12T13:00:00-07:00'), 'a slot in full, in the caller''s zone');
select is(tests.seen('five') ->> 'buttonState', 'join', 'who has left may join again');
select is(tests.seen('late') ->> 'middleText', 'Decide by 10:30PM', 'half hours show');
select is(tests.seen('eleven') ->> 'slotStatus', 'ended', 'over, though nobody matched it');
select is(tests.seen('eleven') -> 'pending', 'false', 'and nothing is to come');
select is(tests.seen('eleven') -> 'changesAt', 'null', 'ever');
select is((api.get_button_states() ->> 'now')::timestamptz::date, tests.day(), 'now is the app clock');

-- version: the greater of the slot's and the entry's.
select tests.act_as_nobody();
create table tests.versions as
select slots.version as slot_version, entries.version as entry_version
from app.time_slots as slots
inner join app.waitlist_entries as entries using (campus_id, time_slot)
where slots.time_slot = tests.slot('two');
grant select on tests.versions to public;
select tests.act_as('ann');
select is((tests.seen('two') ->> 'version')::bigint, (select entry_version from tests.versions), 'the entry''s, which is newer');
select tests.act_as('ben');
select is((tests.seen('two') ->> 'version')::bigint, (select slot_version from tests.versions), 'for others the slot''s');
select is(tests.seen('two') ->> 'buttonState', 'join', 'Ben has his own button');

-- At the deadline, before the matching has committed.
select tests.clock('13:00');
select tests.act_as('ann');
select is(tests.seen('two') - array['timeSlot', 'deadlineAt', 'endsAt', 'version', 'changesAt'], jsonb_build_object(
  'buttonState', 'past', 'buttonText', 'Past', 'middleText', 'Closed at 1PM', 'isDisabled', true, 'slotStatus', 'matching', 'pending', true),
  'on the list and not matched yet: pending');
select cmp_ok((tests.seen('two') ->> 'changesAt')::timestamptz, '<', '2030-06-12 13:00:10-07'::timestamptz, 'look again in seconds');
select tests.act_as('ben');
select is(tests.seen('two') -> 'pending', 'false', 'nothing is pending for who is not on the list');
select is(tests.seen('two') -> 'changesAt', 'null', 'nor will anything change');

-- Matched: Ann is in a circle.
select tests.in_circle('ann', 'two');
select tests.act_as('ann');
select is(tests.seen('two') ->> 'buttonState', 'confirmed', 'matched: confirmed');
select is(tests.seen('two') ->> 'slotStatus', 'matched', 'and the slot says so');
select is(tests.seen('two') ->> 'changesAt', '2030-06-12T14:20:00-07:00', 'until the end');
select tests.clock('12:00');
select is(tests.seen('two') ->> 'buttonState', 'confirmed', 'a matched slot never reopens, even if the clock goes back');
select tests.act_as('ben');
select is(tests.seen('two') ->> 'buttonState', 'past', 'for nobody');
select tests.clock('14:20');
select tests.act_as('ann');
select is(tests.seen('two') ->> 'buttonState', 'feedback', 'at the end feedback opens');
select is(tests.seen('two') ->> 'slotStatus', 'ended', 'and the slot has ended');
select tests.gave_feedback('ann', 'two');
select is(tests.seen('two') ->> 'middleText', 'Confirmed at 1PM', 'and closes when given');

-- A place that was given up, a slot that was called off.
select tests.act_as_nobody();
update app.circle_members set cancelled_at = '2030-06-12 13:30-07';
select tests.act_as('ann');
select is(tests.seen('two') ->> 'middleText', 'Closed at 1PM', 'a place given up is no place');
select tests.cancelled('late');
select is(tests.seen('late') - array['timeSlot', 'deadlineAt', 'endsAt', 'version'], jsonb_build_object(
  'buttonState', 'past', 'buttonText', 'Past', 'middleText', 'Closed at 10:30PM', 'isDisabled', true, 'slotStatus', 'cancelled', 'pending', false, 'changesAt', null),
  'called off before its deadline: past, and it says why');

-- Other days, nobody, and the wrong people.
select is((api.get_button_states('2030-06-13') -> 'slots')::jsonb, '[]', 'a day without slots is an empty list');
select tests.act_as('mia');
select is((tests.seen('mits') ->> 'buttonState'), 'past', 'another campus has its own slots');
select is(json_array_length(api.get_button_states() -> 'slots'), 1, 'and sees no other''s');
select tests.refused($$ select api.get_button_states('infinity') $$, 'PT422', 'day_invalid', 'a day is a day');
select tests.act_as(null);
select tests.refused('select api.get_button_states()', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as(null, '{"sub": "00000000-0000-4000-8000-000000000000"}');
select tests.refused('select api.get_button_states()', 'PT403', 'no_campus', 'a member without a campus');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.get_button_states()', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as('ann', '{"campus_id": null}');
select lives_ok('select api.get_button_states()', 'nor is it needed');

select * from finish();
rollback;
