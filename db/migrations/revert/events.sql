-- Revert circle27:events from pg

begin;

set local role circle27_owner;

drop table events.outbox;
drop table events.streams;
drop table events.gateways;

commit;
