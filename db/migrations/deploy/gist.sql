-- Deploy circle27:gist to pg

begin;

set local role circle27_owner;

-- Keys that keep apart what overlaps in time, for one campus and one spot: they need `=` on texts in a GiST index. The
-- extension is a part of PostgreSQL, and trusted: no superuser is needed. Where it is there already, that one is used.
do $gist$
begin
  if not exists (select from pg_catalog.pg_extension where extname = 'btree_gist') then
    create schema gist;
    comment on schema gist is 'Of the extension btree_gist only. Nobody calls anything in it.';
    create extension btree_gist schema gist;
  end if;
end;
$gist$;

commit;
