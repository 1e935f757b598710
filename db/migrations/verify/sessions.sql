-- Verify circle27:sessions on pg

begin;

set local role circle27_auth;

select session_id, campus_id, user_id, generation, created_at, renewed_at, expires_at, ended_at, user_agent, address
from identity.sessions
where false;

select email, requested_at, allowance, code_hash, code_expires_at, tries_left, used_at, session_id
from identity.login_codes
where false;

-- Exactly one row of settings and a key for refresh tokens, or a division by zero.
select 1 / count(*) from identity.settings;
select 1 / sign(count(*)) from identity.keys where purpose = 'refresh';

rollback;
