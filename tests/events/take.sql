-- The queue: oldest first, each once, by the worker only.

begin;
select plan(11);

select is_definer('events', 'take', array['integer'], 'the worker has no right on the table');
select function_privs_are('events', 'take', array['integer'], 'circle27_worker', array['EXECUTE']);
select function_privs_are('events', 'take', array['integer'], 'service_role', array[]::text[]);
select table_privs_are('events', 'outbox', 'circle27_worker', array[]::text[]);

select app.emit('stanford', 'user:' || n, 'button', jsonb_build_object('n', n)) from generate_series(1, 5) as n;
set local role circle27_worker;
select results_eq($$ select channel, (payload ->> 'n')::int from events.take(2) $$, $$ values ('user:1', 1), ('user:2', 2) $$, 'the oldest first');
select results_eq($$ select (payload ->> 'n')::int from events.take(10) $$, array[3, 4, 5], 'then the rest');
select is_empty($$ select from events.take(10) $$, 'each once');
select tests.refused($$ select events.take(0) $$, 'PT422', 'limit_invalid', 'not none');
select tests.refused($$ select events.take(null) $$, 'PT422', 'limit_invalid', 'not null');
reset role;
select throws_ok($$ select app.emit('stanford', E'user:1,campus:x', 'button', '{}') $$, '23514', null, 'a channel is one channel');
select throws_ok($$ select app.emit('stanford', E'user:1\r\nX: y', 'button', '{}') $$, '23514', null, 'and no header');

select * from finish();
rollback;
