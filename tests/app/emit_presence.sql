-- Circle-mates hear who comes and goes; nobody else does, and nobody who does not listen.

begin;
select plan(17);

select tests.may_call('app.emit_presence(uuid[])', '{}');

-- Given Ann, Ben and Cas in one circle, Dan in another; Ann and Dan listen.
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.clock('13:30');
select events.renew_gateway('here');
create function pg_temp.holds(p_name text, p_stream text, p_process integer default 1)
returns void
language sql
as $$
  insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
  values ('stanford', md5(p_stream), tests.member(p_name), gen_random_uuid(), 'here', p_process, clock_timestamp() + interval '1 hour')
$$;
-- 'ann: ben true': Ann was told that Ben is online.
create function pg_temp.told()
returns text[]
language sql
as $$
  with taken as (delete from events.outbox where event = 'presence' returning channel, payload)
  select coalesce(array_agg(format('%s: %s %s', listeners.name, mates.name, payload ->> 'online') order by listeners.name, mates.name), '{}')
  from taken
  inner join tests.people as listeners on taken.channel = 'user:' || listeners.user_id
  inner join tests.people as mates on taken.payload ->> 'userId' = mates.user_id::text
$$;
select pg_temp.holds('ann', 'a1');
select pg_temp.holds('dan', 'd1');

-- Through the door of the API.
select tests.act_as('ben');
select set_config('request.headers', jsonb_build_object(
  'x-stream-id', md5('b1'), 'x-stream-gateway', 'here', 'x-stream-process', '1')::text, true);
select lives_ok('select api.open_stream()', 'Ben comes');
select tests.act_as_nobody();
select is(pg_temp.told(), array['ann: ben true'], 'Ann hears of it; not Cas who is away, not Dan of another circle, not Ben');

select pg_temp.holds('ben', 'b2');
select events.close_streams(array[md5('b1')]);
select is(pg_temp.told(), array['ann: ben true'], 'one of two devices went: still there');
select events.close_streams(array[md5('b2'), md5('d1')]);
select is(pg_temp.told(), array['ann: ben false'], 'the other one, too');
select events.close_streams(array[md5('b2'), md5('d1')]);
select is(pg_temp.told(), '{}', 'said twice');

select pg_temp.holds('ben', 'b3', 2);
select pg_temp.holds('cas', 'c1', 2);
select events.renew_gateway('here', array[2]);
select is(pg_temp.told(), array['ann: ben false', 'ann: cas false'], 'both at once, when their process was killed');
select pg_temp.holds('ben', 'b4');
update events.streams set expires_at = clock_timestamp() where stream_id = md5('b4');
select is(events.end_expired_streams(), 1, 'a token ends');
select is(pg_temp.told(), array['ann: ben false'], 'and with it the presence');

-- Who hears nothing.
create function pg_temp.comes(p_name text)
returns text[]
language plpgsql
as $$
begin
  perform app.emit_presence(array[tests.member(p_name)]);
  return pg_temp.told();
end;
$$;
select is(pg_temp.comes('ben'), array['ann: ben false'], 'as it is: Ben is away');
savepoint elsewhere;
insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
select 'mit', md5(name || ' elsewhere'), tests.member(name), gen_random_uuid(), 'here', 1, clock_timestamp() + interval '1 hour'
from unnest('{ben,cas}'::text[]) as names (name);
select is(pg_temp.comes('ben'), array['ann: ben false'], 'a stream of another campus makes neither online, nor has it told');
rollback to elsewhere;
select tests.blocked('ben', 'ann');
select is(pg_temp.comes('ben'), '{}', 'nothing where one has blocked the other');
delete from app.blocks;
update app.circle_members set cancelled_at = app.clock() where user_id = tests.member('ben');
select is(pg_temp.comes('ben'), '{}', 'nothing of who gave up the place');
update app.circle_members set cancelled_at = case when user_id = tests.member('ann') then app.clock() end;
select is(pg_temp.comes('ben'), '{}', 'nor to them');
update app.circle_members set cancelled_at = null;
select tests.clock('14:21');
select is(pg_temp.comes('ben'), '{}', 'nothing when the circle is over');
select tests.clock('14:19');
select is(pg_temp.comes('ben'), array['ann: ben false'], 'until then, yes');
select lives_ok('select app.emit_presence(null)', 'nobody');

select * from finish();
rollback;
