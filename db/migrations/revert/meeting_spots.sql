-- Revert circle27:meeting_spots from pg

begin;

set local role circle27_owner;

drop table app.meeting_spots;

commit;
