-- Revert $project:$name from pg
--
-- Also runs after a deploy that has failed: the index may be there, not valid, or not there.

set role circle27_owner;

set lock_timeout = '10min';

drop index concurrently if exists app.$name;
