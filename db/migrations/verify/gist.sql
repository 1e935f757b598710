-- Verify circle27:gist on pg

begin;

select 1 / count(*) from pg_catalog.pg_extension where extname = 'btree_gist';

rollback;
