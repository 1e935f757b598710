-- Test databases only, before db/roles.sql: pgTAP, and plpgsql_check where this server has it, in schemas
-- of their own.

create schema if not exists tap;
grant usage on schema tap to public;
create extension if not exists pgtap schema tap;

create schema if not exists lint;
do $lint$
begin
  if exists (select from pg_available_extensions where name = 'plpgsql_check') then
    create extension if not exists plpgsql_check schema lint;
  end if;
end;
$lint$;
