-- Revert circle27:blocks from pg

begin;

set local role circle27_owner;

drop table app.blocks;

commit;
