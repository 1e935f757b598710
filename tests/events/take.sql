-- The queue: oldest first, each once, by the worker only.

begin;
select plan(32);

-- The channel of the nth member.
create function tests.channel(p_n integer)
returns text
language sql
as $$ select 'user:00000000-0000-4000-8000-' || lpad(p_n::text, 12, '0') $$;

select is_definer('events', 'take', array['integer'], 'the worker has no right on the table');
select function_privs_are('events', 'take', array['integer'], 'circle27_worker', array['EXECUTE']);
select function_privs_are('events', 'take', array['integer'], 'service_role', array[]::text[]);
select table_privs_are('events', 'outbox', 'circle27_worker', array[]::text[]);

select app.emit('stanford', tests.channel(n), 'button', jsonb_build_object('n', n)) from generate_series(1, 5) as n;
set local role circle27_worker;
select results_eq($$ select channel, (payload ->> 'n')::int from events.take(2) $$, $$ values (tests.channel(1), 1), (tests.channel(2), 2) $$, 'the oldest first');
select results_eq($$ select (payload ->> 'n')::int from events.take(10) $$, array[3, 4, 5], 'then the rest');
select is_empty($$ select from events.take(10) $$, 'each once');
select tests.refused($$ select events.take(0) $$, 'PT422', 'limit_invalid', 'not none');
select tests.refused($$ select events.take(null) $$, 'PT422', 'limit_invalid', 'not null');
reset role;

-- One event that the gateway can't take would hold up the queue: it can't be put in.
select lives_ok(format('select app.emit(%L, %L, %L, %L)', 'stanford', channel, event, payload), says)
from (values
  ('campus:stanford', 'slot', '{}', 'a campus is told'),
  ('campus:0-' || repeat('x', 61), 'slot', '{}', 'by any id that a campus can have'),
  ('session:00000000-0000-4000-8000-000000000000', 'button', '{}', 'a session is told'),
  (tests.channel(1), repeat('a', 32), '{}', 'an event''s name has up to 32 letters'),
  (tests.channel(1), 'button', jsonb_build_object('x', repeat('x', 16384 - 9))::text, 'a payload up to 16 kB')
) as good (channel, event, payload, says);
select throws_ok(format('select app.emit(%L, %L, %L, %L)', 'stanford', channel, event, payload), '23514', null, says)
from (values
  ('user:1', 'button', '{}', 'a user is a uuid'),
  (upper(tests.channel(1)), 'button', '{}', 'in lower case'),
  ('user:' || 'ABCDEF00-0000-4000-8000-000000000000', 'button', '{}', 'wholly'),
  ('campus:Stanford', 'button', '{}', 'a campus id is lower case'),
  ('campus:', 'button', '{}', 'and not empty'),
  ('campus:' || repeat('x', 64), 'button', '{}', 'nor longer than one can be'),
  ('page:stanford', 'button', '{}', 'there is no other kind of channel'),
  (tests.channel(1) || ',campus:x', 'button', '{}', 'a channel is one channel'),
  (tests.channel(1) || E'\r\nX: y', 'button', '{}', 'and no header'),
  (tests.channel(1) || E'\n', 'button', '{}', 'nor the start of one'),
  (tests.channel(1), 'Button', '{}', 'an event''s name is lower case'),
  (tests.channel(1), E'button\nid: 1', '{}', 'and no header'),
  (tests.channel(1), repeat('a', 33), '{}', 'nor long'),
  (tests.channel(1), 'button', '[]', 'a payload is an object'),
  (tests.channel(1), 'button', jsonb_build_object('x', repeat('ö', 8188))::text, 'and small, in bytes')
) as bad (channel, event, payload, says);

-- An idle worker has its plan made for an empty table, and keeps it. (A plan that joins the table to itself then took all
-- rows, whatever the limit, in seconds.)
delete from events.outbox;
analyze events.outbox;
set local role circle27_worker;
select count(*) from generate_series(1, 10) as calls (n) cross join lateral events.take(10 + n) as none;
reset role;
select app.emit('stanford', tests.channel(1), 'button', jsonb_build_object('n', n)) from generate_series(1, 3000) as n;
set local role circle27_worker;
select is((select count(*) from events.take(1000)), 1000::bigint, 'as many as were asked for, also after a long idle time');
select is((select min((payload ->> 'n')::int) from events.take(1000)), 1001, 'the oldest');
select is((select count(*) from events.take(10000)), 1000::bigint, 'and all in the end');
reset role;

select * from finish();
rollback;
