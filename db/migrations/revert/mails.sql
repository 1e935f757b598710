-- Revert circle27:mails from pg

begin;

set local role circle27_auth;

drop table identity.mail_server;
drop table identity.mails;

commit;
