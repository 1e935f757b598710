-- The clock that slots follow, and who may move it.

begin;
select plan(12);

select function_privs_are('app', 'clock', array[]::text[], 'circle27_worker', array['EXECUTE']);

select cmp_ok(abs(extract(epoch from app.clock() - clock_timestamp())), '<', 1.0, 'real time at first');
select tests.create_campus();
select tests.act_as_role('service_role');
select cmp_ok((api.set_clock_offset('2 hours') ->> 'now')::timestamptz, '>', clock_timestamp() + interval '119 minutes', 'a server moves it');
select tests.act_as_nobody();
select is((select time_offset from app.clock_offset), interval '2 hours', 'by what was asked');
select results_eq($$ select channel, event from events.outbox where event = 'clock' $$, $$ values ('campus:stanford', 'clock') $$, 'and every campus hears of it');
select is((select actor_role from audit.log where action = 'clock.set'), 'service_role', 'and the trail says who');

select isnt_empty($$ select from events.outbox where event = 'slot' $$, 'and the days that lie ahead now have their slots');

-- Days would be added by each session's own zone: two sessions, two times.
set local timezone = 'America/Los_Angeles';
select app.set_clock_offset('200 days');
select is(date_part('day', (select time_offset from app.clock_offset)), 0::double precision, 'the offset is kept in exact seconds');
select is((select extract(epoch from time_offset) from app.clock_offset),
  (select extract(epoch from (now() + interval '200 days') - now())), 'as many as the days have here');

select tests.refused($$ select app.set_clock_offset(null) $$, 'PT422', 'clock_offset_invalid', 'an offset must be given');
select tests.refused($$ select app.set_clock_offset('100000 years') $$, 'PT422', 'clock_offset_invalid', 'and be bearable');
select throws_ok($$ insert into app.clock_offset (only_row) values (false) $$, '23514', null, 'there is one row');

select * from finish();
rollback;
