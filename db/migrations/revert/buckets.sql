-- Revert circle27:buckets from pg

begin;

set local role circle27_owner;

revoke usage on schema ops from circle27_worker;
drop table ops.buckets;

commit;
