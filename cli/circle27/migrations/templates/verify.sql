-- Verify $project:$name on pg

begin;

set local role circle27_owner;

-- Fail here unless all is there: an unknown column fails, and so does a division by zero.
--
--   select campus_id, thing_id from app.things where false;
--   select 1 / count(*) from pg_constraint where conname = 'users_nickname_length';
do $$$$ begin raise exception 'verify/$name.sql is not written yet'; end $$$$;

rollback;
