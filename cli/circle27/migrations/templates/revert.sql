-- Revert $project:$name from pg

begin;

set local role circle27_owner;

-- Undo here what the deploy script does, last things first.
--
--   alter table app.users drop column nickname;
--   drop table app.things;
do $$$$ begin raise exception 'revert/$name.sql is not written yet'; end $$$$;

commit;
