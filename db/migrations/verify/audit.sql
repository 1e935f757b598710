-- Verify circle27:audit on pg

begin;

set local role circle27_auth;

select id, at, action, campus_id, user_id, time_slot, details, actor_id, actor_role, session_id, address
from audit.log
where false;

rollback;
