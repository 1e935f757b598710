-- Verify circle27:events on pg

begin;

set local role circle27_owner;

select id, campus_id, channel, event, payload, emitted_at from events.outbox where false;
select campus_id, stream_id, user_id, session_id, gateway, process_id, opened_at, expires_at
from events.streams where false;
select gateway, renewed_at from events.gateways where false;

rollback;
