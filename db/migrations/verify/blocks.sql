-- Verify circle27:blocks on pg

begin;

set local role circle27_owner;

select campus_id, user_id, blocked_id, created_at from app.blocks where false;

rollback;
