-- Test databases only, before db/roles.sql: pgTAP and plpgsql_check in schemas of their own.

create schema if not exists tap;
grant usage on schema tap to public;
create extension if not exists pgtap schema tap;

create schema if not exists lint;
create extension if not exists plpgsql_check schema lint;
