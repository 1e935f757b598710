-- Revert circle27:reports from pg

begin;

set local role circle27_owner;

drop table app.reports;

commit;
