-- What has ended is forgotten: streams, processes, gateways.

begin;
select plan(15);

select is_definer('events', 'close_streams', array['text[]'], 'the worker has no right on the table');
select function_privs_are('events', 'close_streams', array['text[]'], 'circle27_worker', array['EXECUTE']);
select function_privs_are('events', 'close_streams', array['text[]'], 'authenticated', array[]::text[]);
select is_definer('events', 'renew_gateway', array['text', 'integer[]'], 'the worker has no right on the tables');
select function_privs_are('events', 'renew_gateway', array['text', 'integer[]'], 'circle27_worker', array['EXECUTE']);
select function_privs_are('events', 'renew_gateway', array['text', 'integer[]'], 'authenticated', array[]::text[]);

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
create function pg_temp.holds(p_name text, p_stream text, p_gateway text, p_process integer)
returns void
language sql
as $$
  insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, opened_at, expires_at)
  values ('stanford', md5(p_stream), tests.member(p_name), gen_random_uuid(), p_gateway, p_process,
    clock_timestamp() - interval '2 minutes', clock_timestamp() + interval '1 hour')
$$;
select events.renew_gateway(gateway) from unnest('{here,there}'::text[]) as gateways (gateway);
select pg_temp.holds('ann', 'one', 'here', 1);
select pg_temp.holds('ann', 'two', 'here', 2);
select pg_temp.holds('ben', 'three', 'there', 1);

set local role circle27_worker;
select is(events.close_streams(array[md5('two'), md5('nobody')]), 1, 'a stream that ended is forgotten, one that was unknown does no harm');
select is(events.close_streams(array[md5('two')]), 0, 'said twice');
reset role;
select results_eq('select stream_id from events.streams order by gateway', array[md5('one'), md5('three')], 'the others stay');

-- A process is killed.
select pg_temp.holds('ann', 'two', 'here', 2);
set local role circle27_worker;
select is((select array_agg(process order by process) from unnest(events.renew_gateway('here')) as process), array[1, 2], 'the porter hears which processes hold streams');
select is(events.renew_gateway('here', array[1]), array[2], 'what a dead one held is forgotten');
reset role;
select results_eq('select stream_id from events.streams order by gateway', array[md5('two'), md5('three')], 'at its gateway only');

-- A gateway is gone as a whole.
update events.gateways set renewed_at = clock_timestamp() - interval '61 seconds' where gateway = 'there';
select is(events.renew_gateway('here'), array[2], 'another one renews');
select results_eq('select gateway from events.gateways', array['here'], 'the gone one is forgotten after a minute');
select results_eq('select stream_id from events.streams', array[md5('two')], 'with what it held');

select * from finish();
rollback;
