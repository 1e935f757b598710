-- A campus is told what has become of a slot.

begin;
select plan(6);

select isnt_definer('app', 'emit_slot', array['text', 'timestamp with time zone', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.emit_slot(text, timestamptz, timestamptz)', '{}');

select tests.create_slot('two', '14:00');
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.joined('ann', 'two');
select tests.joined('ben', 'two', p_left => true);
select tests.create_slot('mits', '14:00', 'mit');
set local timezone = 'Asia/Tokyo';

select app.emit_slot('stanford', tests.slot('two'), tests.slot('two') - interval '1 hour 1 us');
select results_eq('select * from tests.told()', $$
  select 'campus:stanford', 'slot', jsonb_build_object('timeSlot', '2030-06-12T14:00:00-07:00', 'deadlineAt', '2030-06-12T13:00:00-07:00', 'endsAt', '2030-06-12T14:20:00-07:00', 'slotStatus', 'open', 'joined', 1, 'version', version)
  from app.time_slots where campus_id = 'stanford' $$, 'one event, to its campus, in its zone: what everyone may know, and how many are on the list');
select app.emit_slot('stanford', tests.slot('two'), tests.slot('two') - interval '1 hour');
select is(payload ->> 'slotStatus', 'matching', 'what it is at the time that is given') from tests.told();
select tests.cancelled('two');
select app.emit_slot('stanford', tests.slot('two'), tests.slot('two'));
select is(payload ->> 'slotStatus', 'cancelled', 'and what was written down about it') from tests.told();
select app.emit_slot('stanford', tests.slot('two') + interval '1 us', now());
select is_empty('select * from tests.told()', 'of what is no slot nothing is told');

select * from finish();
rollback;
