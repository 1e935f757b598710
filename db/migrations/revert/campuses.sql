-- Revert circle27:campuses from pg

begin;

set local role circle27_owner;

drop table app.users;
drop table app.user_campuses;
drop table app.campus_domains;
drop table app.campuses;

commit;
