-- Revert circle27:gist from pg

begin;

set local role circle27_owner;

-- With the extension, if it is in there; another's stays.
drop schema if exists gist cascade;

commit;
