-- Who is online is told to circle-mates, and to nobody else.

begin;
select plan(17);

select is_definer('api', 'get_online_users', array['uuid[]'], 'members hold no right on the tables');
select volatility_is('api', 'get_online_users', array['uuid[]'], 'stable', 'so GET and READ ONLY transactions will do');
select tests.may_call('api.get_online_users(uuid[])', '{authenticated}');
select tests.may_call('app.online_users(text, uuid, uuid[])', '{}');

-- Given Ann, Ben and Cas in one circle, Dan in another; all but Cas hold a stream, Ben two.
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select events.renew_gateway('here');
insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
select 'stanford', md5(stream), tests.member(name), gen_random_uuid(), 'here', 1, clock_timestamp() + interval '1 hour'
from (values ('1', 'ann'), ('2', 'ben'), ('3', 'ben'), ('4', 'dan')) as streams (stream, name);
create function pg_temp.online(p_me text)
returns text
language plpgsql
as $$
declare
  v_ids jsonb;
begin
  perform tests.act_as(p_me);
  v_ids := api.get_online_users(array(select tests.member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name))) -> 'online';
  perform tests.act_as_nobody();
  return (select string_agg(name, ',' order by name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name)
    where v_ids ? tests.member(name)::text);
end;
$$;

select is(pg_temp.online('ann'), 'ben', 'Ann sees Ben, once; not herself, not Cas who is away, not Dan of another circle');
select is(pg_temp.online('cas'), 'ann,ben', 'Cas, who is away, sees both');
select is(pg_temp.online('dan'), null, 'Dan sees nobody');
select tests.refused('select app.online_users(null, tests.member(''ann''), ''{}'')', 'PT403', 'no_campus', 'nor is anybody of no campus');
savepoint elsewhere;
insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
values ('mit', md5('5'), tests.member('cas'), gen_random_uuid(), 'here', 1, clock_timestamp() + interval '1 hour');
select is(pg_temp.online('ann'), 'ben', 'a stream of another campus is not her campus''s');
rollback to elsewhere;
select tests.act_as('ann');
select is(api.get_online_users('{}'), '{"online": []}', 'nobody was asked about');
select is(api.get_online_users(null), '{"online": []}', 'nor here');
select tests.act_as_nobody();

select tests.blocked('ben', 'ann');
select is(pg_temp.online('ann'), null, 'who was walled off sees the other away');
select is(pg_temp.online('ben'), null, 'and the other way round');
delete from app.blocks;

update app.circle_members set cancelled_at = app.clock() where user_id = tests.member('ben');
select is(pg_temp.online('ann'), null, 'who gave up the place is no mate');
update app.circle_members set cancelled_at = null;
update events.gateways set renewed_at = clock_timestamp() - interval '61 seconds';
select is(pg_temp.online('ann'), null, 'a gateway that is gone holds nobody');

select tests.act_as(null);
select tests.refused('select api.get_online_users(''{}'')', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as_role('anon');
select throws_ok('select api.get_online_users(''{}'')', '42501', null, 'a stranger may not ask');

select * from finish();
rollback;
