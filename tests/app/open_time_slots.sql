-- Slots are opened days ahead in the campus's zone, once, with an event each and a line in the trail.

begin;
select plan(22);
set local timezone = 'UTC';

select is_definer('app', 'open_time_slots', array['timestamp with time zone'], 'the worker has no right on the tables');
select function_privs_are('app', 'open_time_slots', array['timestamptz'], 'circle27_worker', array['EXECUTE']);
select function_privs_are('app', 'open_time_slots', array['timestamptz'], 'authenticated', array[]::text[]);
select function_privs_are('app', 'open_campus_slots', array['text', 'timestamptz'], 'circle27_worker', array[]::text[]);

-- Given two campuses, two days before the clocks go forward in Los Angeles.
select app.add_campus('west', 'West', 'America/Los_Angeles', array['west.edu'], array['02:30', '11:00']::time[]);
select app.add_campus('india', 'India', 'Asia/Kolkata', array['india.edu'], array['14:00']::time[]);
update app.campuses set open_days_ahead = 2;
delete from events.outbox;
update app.clock_offset set time_offset = make_interval(secs => extract(epoch from '2026-03-06 18:30+00' - clock_timestamp())::float8);

set local role circle27_worker;
select is(app.open_time_slots('2026-03-06 18:30+00'), 7, 'opens what can still be joined');
select is(app.open_time_slots('2026-03-06 18:30+00'), 0, 'a second run opens nothing');
reset role;

select results_eq(
  $$ select campus_id, time_slot from app.time_slots order by campus_id, time_slot $$,
  $$ values
    ('india', '2026-03-07 08:30+00'::timestamptz),
    ('india', '2026-03-08 08:30+00'),
    ('india', '2026-03-09 08:30+00'),
    ('west', '2026-03-07 10:30+00'),
    ('west', '2026-03-07 19:00+00'),
    ('west', '2026-03-08 10:30+00'),
    ('west', '2026-03-08 18:00+00') $$,
  '11AM stays 11AM, 02:30 moves, each campus has its own days; today''s slot past its deadline stays closed'
);
select results_eq(
  $$ select deadline_at - time_slot, ends_at - time_slot from app.time_slots where campus_id = 'west' limit 1 $$,
  $$ values (interval '-1 hour', interval '20 minutes') $$, 'deadline and end are the campus''s'
);
select is(app.open_time_slots('2026-03-07 18:30+00'), 3, 'the next day adds a day');
select is(
  (select array_agg(distinct version) = array_agg(version order by version) from app.time_slots), true, 'each slot has its own version'
);
select is((select count(*) from events.outbox), 10::bigint, 'one event for each slot');
select is((select count(distinct payload ->> 'timeSlot' || channel) from events.outbox), 10::bigint, 'each event its own slot');
select results_eq(
  $$ select channel, event, payload ->> 'slotStatus', (payload ->> 'timeSlot')::timestamptz from events.outbox where campus_id = 'west' order by id limit 1 $$,
  $$ values ('campus:west', 'slot', 'open', '2026-03-07 10:30+00'::timestamptz) $$, 'told to the campus'
);
select results_eq(
  $$ select campus_id, jsonb_array_length(details -> 'timeSlots') from audit.log where action = 'slots.opened' order by id $$,
  $$ values ('india', 3), ('west', 4), ('india', 1), ('west', 2) $$, 'the trail has each run that opened something'
);

-- The deadline itself is too late.
select app.add_campus('edge', 'Edge', 'UTC', array['edge.edu'], array['12:00']::time[]);
update app.campuses set open_days_ahead = 0 where campus_id = 'edge';
select is(app.open_campus_slots('edge', '2026-05-01 11:00+00'), 0, 'at the deadline a slot no longer opens');
select is(app.open_campus_slots('edge', '2026-05-01 10:59:59.999999+00'), 1, 'a microsecond before it does');

-- A demo opens the day from its morning on: the event says what the slot is by now.
select app.add_campus('demo', 'Demo', 'UTC', array['demo.edu'], array['11:00', '18:45', '21:00']::time[]);
update app.campuses set open_days_ahead = 0 where campus_id = 'demo';
select is(app.open_campus_slots('demo', '2026-03-06 00:00+00'), 3, 'slots that could be joined in the morning');
select results_eq(
  $$ select payload ->> 'slotStatus' from events.outbox where campus_id = 'demo' order by payload ->> 'timeSlot' $$,
  array['ended', 'matching', 'open'], 'are told as what they are now'
);

select tests.refused($$ select app.open_time_slots('infinity') $$, 'PT422', 'time_invalid', 'no endless days');
select tests.refused($$ select app.open_time_slots('1999-01-01') $$, 'PT422', 'time_invalid', 'no distant past');
select tests.refused($$ select app.open_campus_slots('nowhere', now()) $$, 'PT404', 'campus_not_found', 'a campus must exist');
select tests.refused($$ select app.open_campus_slots(null, now()) $$, 'PT404', 'campus_not_found', 'and be given');

select * from finish();
rollback;
