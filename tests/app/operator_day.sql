-- How the machinery does, as operators see it. The slots: tests/app/operator_slots.sql.

begin;
select plan(13);

select isnt_definer('app', 'operator_day', array['text', 'date', 'timestamp with time zone'], 'called from definers only');
select volatility_is('app', 'operator_day', array['text', 'date', 'timestamp with time zone'], 'stable', 'it only reads');
select tests.may_call('app.operator_day(text, date, timestamptz)', '{}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_member('olga', p_tier => 'operator');
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
delete from events.outbox;

create function tests.day_now(p_key text) returns jsonb
language sql as $$ select app.operator_day('stanford', null, tests.slot('two')) -> p_key $$;

select is(tests.day_now('outbox'), '{"waiting": 0, "oldestSeconds": null}', 'nothing waits to be told');
insert into events.outbox (campus_id, channel, event, payload, emitted_at)
select campus_id, 'campus:' || campus_id, 'slot', '{}', clock_timestamp() - age * interval '1 second'
from (values ('stanford', 90), ('stanford', 30), ('mit', 500)) as told (campus_id, age);
select is(tests.day_now('outbox') -> 'waiting', '2', 'what waits on this campus is counted');
select is(round((tests.day_now('outbox') -> 'oldestSeconds')::numeric), 90::numeric, 'and for how long the oldest has waited');

select is(tests.day_now('limits') -> 0, '{"tier": "user", "callsAMinute": 200, "callers": 0, "empty": 0}', 'nobody has called');
insert into ops.buckets (caller, full_at)
select 'user:' || tests.member(name), clock_timestamp() + seconds * interval '1 second'
from (values ('ann', 59.9), ('ben', 30), ('olga', -1), ('mia', 60)) as spent (name, seconds);
insert into ops.buckets (caller, full_at) values ('network:192.0.2.1', clock_timestamp() + interval '1 minute');
select is(tests.day_now('limits') -> 0, '{"tier": "user", "callsAMinute": 200, "callers": 2, "empty": 1}', 'two members have called lately, one may not go on');
select is(tests.day_now('limits') -> 2, '{"tier": "operator", "callsAMinute": 1000, "callers": 0, "empty": 0}', 'a bucket that is full again says nothing');
select is((tests.day_now('day') #>> '{}')::date, tests.day(), 'without a day it is that of the clock, on the campus');

select tests.refused('select app.operator_day(null, null, now())', 'PT403', 'no_campus', 'no campus');
select tests.refused('select app.operator_day(''atlantis'', null, now())', 'PT404', 'campus_not_found', 'one that is none');
select tests.refused('select app.operator_day(''stanford'', date ''2200-01-01'', now())', 'PT422', 'day_invalid', 'a day out of reason');

select * from finish();
rollback;
