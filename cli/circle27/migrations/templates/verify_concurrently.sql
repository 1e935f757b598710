-- Verify $project:$name on pg

begin;

-- The index is there and valid, or a division by zero.
select 1 / count(*) from pg_index where indexrelid = 'app.$name'::regclass and indisvalid;

rollback;
