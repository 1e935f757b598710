-- Revert circle27:meetings from pg

begin;

set local role circle27_owner;

drop table app.meetings;

commit;
