-- Verify circle27:clock on pg

begin;

set local role circle27_owner;

select only_row, time_offset from app.clock_offset where false;

-- Exactly one row, or a division by zero.
select 1 / count(*) from app.clock_offset;

select last_value from app.version_seq;

rollback;
