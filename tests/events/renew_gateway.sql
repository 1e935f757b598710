-- Tried beside close_streams(): tests/events/close_streams.sql.

begin;
select plan(2);

-- A gateway's first streams may come before its first renewal.
select tests.create_member('ann');
insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
values ('stanford', md5('one'), tests.member('ann'), gen_random_uuid(), 'new', 1, clock_timestamp() + interval '1 hour');
set local role circle27_worker;
select is(events.renew_gateway('here'), '{}', 'another gateway renews');
reset role;
select isnt_empty('select from events.streams', 'a young stream of a gateway that is not known yet stays');

select * from finish();
rollback;
