-- Revert circle27:sessions from pg

begin;

set local role circle27_auth;

drop table identity.sessions;
drop table identity.login_codes;
drop table identity.settings;
drop table identity.keys;

commit;
