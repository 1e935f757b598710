-- Verify circle27:mails on pg

begin;

set local role circle27_auth;

select mail_id, kind, recipient, facts, created_at, expires_at, next_try_at, attempts from identity.mails where false;

-- Exactly one row, or a division by zero.
select 1 / count(*) from identity.mail_server;

rollback;
