-- Revert circle27:clock from pg

begin;

set local role circle27_owner;

drop sequence app.version_seq;
drop table app.clock_offset;

commit;
