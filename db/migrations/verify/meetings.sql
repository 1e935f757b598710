-- Verify circle27:meetings on pg

begin;

set local role circle27_owner;

select campus_id, user_a, user_b, meetings_count, last_met_at from app.meetings where false;

rollback;
