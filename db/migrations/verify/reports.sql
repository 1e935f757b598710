-- Verify circle27:reports on pg

begin;

set local role circle27_owner;

select campus_id, time_slot, user_id, reported_id, reason, comment, created_at from app.reports where false;

rollback;
