-- Verify circle27:events on pg

begin;

set local role circle27_owner;

select id, campus_id, channel, event, payload, emitted_at from events.outbox where false;

rollback;
