-- Revert circle27:time_slots from pg

begin;

set local role circle27_owner;

drop table app.feedback_about;
drop table app.feedback;
drop table app.circle_members;
drop table app.circles;
drop table app.waitlist_entries;
drop table app.time_slots;

commit;
