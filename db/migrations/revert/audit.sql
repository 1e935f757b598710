-- Revert circle27:audit from pg

begin;

set local role circle27_auth;

drop table audit.changes;
drop table audit.log;

commit;
