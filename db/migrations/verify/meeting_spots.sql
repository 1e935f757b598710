-- Verify circle27:meeting_spots on pg

begin;

set local role circle27_owner;

select campus_id, spot_id, name, closed_at from app.meeting_spots where false;

rollback;
