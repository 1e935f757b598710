-- The worker's call: match what is due, cancel what was missed, let no slot hold up another.

begin;
select plan(31);

select is_definer('app', 'run_due_deadlines', array['integer', 'jsonb'], 'the worker holds no right on the tables');
select volatility_is('app', 'run_due_deadlines', array['integer', 'jsonb'], 'volatile', 'it writes');
select tests.may_call('app.run_due_deadlines(integer, jsonb)', '{circle27_worker}');

-- Given a day of slots with three people on the list of each but ten; what is done is done.
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_member(name, 'mit') from unnest('{max,mia,moe}'::text[]) as names (name);
select tests.create_slot(slot, at) from (values ('ten', time '10:00'), ('eleven', '11:00'), ('one', '13:00'), ('two', '14:00'), ('five', '17:00'), ('off', '12:00')) as slots (slot, at);
select tests.create_slot('mits', '16:30', 'mit');
select tests.joined(name, slot) from unnest('{ann,ben,cas}'::text[]) as names (name) cross join unnest('{eleven,one,two,five,off}'::text[]) as slots (slot);
select tests.joined(name, 'mits') from unnest('{max,mia,moe}'::text[]) as names (name);
select tests.cancelled('off');
select tests.matched('one');
create function tests.ran() returns jsonb language plpgsql as $$
declare
  v_ran jsonb;
begin
  set local role circle27_worker;
  v_ran := app.run_due_deadlines();
  reset role;
  return v_ran;
end $$;
create function tests.slots_of(p_ran jsonb, p_key text) returns text language sql as $$
  select string_agg(slots.name, ' ' order by found.number)
  from jsonb_array_elements(p_ran -> p_key) with ordinality as found (slot, number)
  left join tests.slots on slots.time_slot = (found.slot ->> 'timeSlot')::timestamptz and slots.campus_id = coalesce(found.slot ->> 'campusId', slots.campus_id)
$$;

-- A microsecond before two's deadline: ten and eleven are over, one is done, off is off.
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');
create table tests.first as select tests.ran() as ran;
select is(tests.keys(ran), 'failed left matched missed nextDeadlineAt now', 'what it did, and when to come again') from tests.first;
select is(tests.slots_of(ran, 'matched'), 'ten', 'a slot with nobody on its list is matched, however late') from tests.first;
select is(tests.slots_of(ran, 'missed'), 'eleven', 'one with people on it is over before it was matched: missed') from tests.first;
select is(ran #>> '{missed,0,slotStatus}', 'cancelled', 'so it is called off') from tests.first;
select is((ran ->> 'nextDeadlineAt')::timestamptz, tests.slot('two') - interval '1 hour', 'the next deadline is two''s, a microsecond ahead') from tests.first;
select is((ran ->> 'now')::timestamptz, tests.slot('two') - interval '1 hour 1 us', 'by the app clock') from tests.first;
select results_eq('select action, slot, details ->> ''reason'' from tests.trail()', $$ values ('slot.matched', 'ten', null), ('slot.cancelled', 'eleven', 'missed') $$,
  'the trail has both, in the order of their deadlines');
select is(count(*) filter (where event = 'button' and payload ->> 'slotStatus' = 'cancelled'), 3::bigint, 'three people hear that eleven was called off') from tests.told();

-- At the deadline.
select tests.clock_stands(tests.slot('two') - interval '1 hour');
create table tests.second as select tests.ran() as ran;
select is(tests.slots_of(ran, 'matched'), 'two', 'at the deadline two is matched, not five') from tests.second;
select is(ran #>> '{matched,0,circles}', '1', 'into a circle') from tests.second;
select results_eq('select * from tests.circles(''two'')', array['ann ben cas'], 'of the three');
select is(ran - 'matched' - 'now' - 'nextDeadlineAt', '{"missed": [], "failed": [], "left": 0}', 'and nothing else is done') from tests.second;
select is((ran ->> 'nextDeadlineAt')::timestamptz, tests.slot('mits') - interval '1 hour', 'next comes the earliest of any campus') from tests.second;
select tests.repeats('select tests.ran() - ''matched''', 'a second call right after finds nothing to do and writes nothing');
select is(tests.ran() -> 'matched', '[]', 'matched by then is nothing');

-- A mistake of ours in one campus holds up no other, and is tried again.
select tests.clock_stands(tests.slot('five') - interval '1 hour');
create function tests.fail() returns trigger language plpgsql as $$ begin raise exception 'broken' using errcode = 'XX000'; end $$;
create trigger fail before insert on app.circles for each row when (new.campus_id = 'mit') execute function tests.fail();
delete from events.outbox;
delete from audit.log;
create table tests.third as select tests.ran() as ran;
select is((ran #> '{failed,0}') - 'timeSlot', '{"campusId": "mit", "code": "XX000", "message": "broken"}', 'the one that failed says why') from tests.third;
select is(tests.slots_of(ran, 'failed') || ' and ' || tests.slots_of(ran, 'matched'), 'mits and five', 'the one after it is matched') from tests.third;
select is_empty($$ select * from tests.told() where channel ~ 'mia|max|moe|mit' $$, 'of the failed one nothing is told');
select results_eq('select action, slot from tests.trail()', $$ values ('slot.matched', 'five') $$, 'nor in the trail');
select is(ran -> 'nextDeadlineAt', 'null', 'no deadline lies ahead') from tests.third;
select is(app.run_due_deadlines(null, jsonb_build_array((ran #> '{failed,0}') - 'code' - 'message')) -> 'failed', '[]', 'it rests while it is named in p_skip')
from tests.third;
drop trigger fail on app.circles;
select is(tests.slots_of(tests.ran(), 'matched'), 'mits', 'the next call makes good for it');

-- One at a time: what is left is counted, and the earliest deadline comes first.
select tests.create_slot(slot, at) from (values ('half past five', time '17:30'), ('half past four', '16:30')) as slots (slot, at);
select tests.joined(name, slot) from unnest('{ann,ben,cas}'::text[]) as names (name) cross join unnest('{half past five,half past four}'::text[]) as slots (slot);
select tests.clock_stands(tests.slot('half past five') - interval '1 hour');
select is(tests.slots_of(ran, 'matched') || ', left: ' || (ran ->> 'left'), matched, says)
from (values (1, 'half past four, left: 1', 'of two that are due one is matched, and the other left'), (2, 'half past five, left: 0', 'for the next call')) as calls (number, matched, says)
cross join lateral app.run_due_deadlines(p_limit => 1 + number * 0) as ran;

-- The end, a microsecond either side: still matched before it, called off at it.
select tests.create_slot('six', '18:00');
select tests.create_slot('seven', '19:00');
select tests.joined(name, slot) from unnest('{ann,ben,cas}'::text[]) as names (name) cross join unnest('{six,seven}'::text[]) as slots (slot);
select tests.clock_stands(tests.slot('six') + interval '20 minutes' - interval '1 us');
select is(tests.slots_of(tests.ran(), 'matched'), 'six seven', 'a microsecond before its end six is still matched');
select tests.create_slot('nine', '21:00');
select tests.joined('ann', 'nine');
select tests.clock_stands(tests.slot('nine') + interval '20 minutes');
select is(tests.slots_of(tests.ran(), 'missed'), 'nine', 'at its end nine was missed');

-- A slot that everybody had left is not missed; one that was called off is no next deadline.
select tests.create_member('zoe', 'late');
select tests.create_slot('empty', '06:00', 'late');
select tests.create_slot('dropped', '23:00', 'late');
select tests.joined('zoe', 'empty', true);
select tests.cancelled('dropped');
select is(tests.slots_of(ran, 'matched') || coalesce(tests.slots_of(ran, 'missed'), ''), 'empty', 'nobody waits: it is matched, to nobody, and not missed')
from tests.ran() as ran;
select ok((tests.ran() ->> 'nextDeadlineAt')::timestamptz is distinct from tests.slot('dropped') - interval '1 hour', 'nothing is due for what was called off');

select * from finish();
rollback;
