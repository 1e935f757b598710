-- Verify circle27:buckets on pg

begin;

set local role circle27_owner;

select caller, full_at from ops.buckets where false;

rollback;
