-- A database as Supabase's image leaves it once Auth has started, and a project in it: what a DBA who adds Circle27
-- finds there. Run by the cluster's superuser, supabase_admin. After supabase/postgres, migrations/db (2024 to 2026),
-- and the functions that Supabase Auth's own migrations make in schema auth.
--
-- Left out: libraries that are not PostgreSQL's own (supautils, safeupdate, pg_graphql, pg_net, pgsodium), and tables
-- that stand in no relation to what is tested.

create role postgres login superuser;
create role anon nologin inherit;
create role authenticated nologin inherit;
create role service_role nologin inherit bypassrls;
create role authenticator login noinherit;
create role supabase_auth_admin login noinherit createrole;
create role supabase_storage_admin login noinherit createrole;
create role supabase_realtime_admin nologin noinherit;
create role supabase_replication_admin login replication;
create role supabase_read_only_user login bypassrls;
create role dashboard_user nologin createdb createrole replication;
create role pgbouncer login;

grant anon, authenticated, service_role to authenticator, postgres;
grant authenticator to supabase_storage_admin;
grant pg_read_all_data to supabase_read_only_user, postgres;
grant pg_monitor, pg_signal_backend to postgres;
do $$
begin
  if current_setting('server_version_num')::int >= 160000 then
    grant anon, authenticated, service_role to postgres with admin option;
  end if;
end;
$$;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_auth_admin set search_path = 'auth';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';
alter role supabase_storage_admin set search_path = 'storage';

do $$
begin
  execute format('alter database %I owner to postgres', current_database());
  execute format('grant all on database %I to postgres, dashboard_user', current_database());
end;
$$;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;

-- Who makes a table in public, as every project does, gives it to the API roles.
grant usage on schema public to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on sequences to postgres, anon, authenticated, service_role;

create schema extensions authorization postgres;
grant all on schema extensions to dashboard_user;
grant usage on schema extensions to anon, authenticated, service_role;
alter default privileges in schema extensions grant all on routines to postgres with grant option;
create schema graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
create schema vault;
grant usage on schema vault to postgres with grant option;
create schema realtime;
grant usage on schema realtime to postgres, anon, authenticated, service_role;
alter default privileges in schema realtime grant all on tables to postgres, dashboard_user;
create schema pgbouncer authorization pgbouncer;

do $$  -- contrib, which small installations lack
begin
  create extension if not exists pgcrypto schema extensions;
  create extension if not exists "uuid-ossp" schema extensions;
  create extension if not exists btree_gist schema extensions;  -- as its owner has enabled it (db/README.md)
exception when undefined_file or feature_not_supported then
  raise notice '%', sqlerrm;
end;
$$;

-- PostgREST reloads after each DDL statement; whoever runs it.
create function extensions.pgrst_ddl_watch() returns event_trigger language plpgsql as $$
begin
  if exists (select from pg_event_trigger_ddl_commands() where schema_name is distinct from 'pg_temp') then
    notify pgrst, 'reload schema';
  end if;
end;
$$;
create function extensions.pgrst_drop_watch() returns event_trigger language plpgsql as $$
begin
  if exists (select from pg_event_trigger_dropped_objects() where not is_temporary) then
    notify pgrst, 'reload schema';
  end if;
end;
$$;
create function extensions.grant_pg_cron_access() returns event_trigger language plpgsql as $$
begin
  if (select object_identity = 'cron' from pg_event_trigger_ddl_commands()) then
    grant usage on schema cron to postgres with grant option;
  end if;
end;
$$;
create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
create event trigger issue_pg_cron_access on ddl_command_end when tag in ('CREATE SCHEMA')
execute function extensions.grant_pg_cron_access();

-- Schema auth: supabase_admin's, what is in it supabase_auth_admin's. postgres may use it and not give it away.
create schema auth;
grant all on schema auth to supabase_auth_admin, dashboard_user;
grant usage on schema auth to postgres, anon, authenticated, service_role;
create table auth.users (
  instance_id uuid,
  id uuid primary key,
  aud varchar(255),
  role varchar(255),
  email varchar(255) unique,
  raw_user_meta_data jsonb,
  created_at timestamptz
);
create table auth.sessions (
  id uuid primary key,
  user_id uuid not null references auth.users on delete cascade
);
create table auth.schema_migrations (version varchar(255) primary key);
alter table auth.users enable row level security;
create function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
  )::uuid
$$;
create function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')
  )::text
$$;
create function auth.email() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email')
  )::text
$$;
create function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;
comment on function auth.uid() is 'Deprecated. Use auth.jwt() -> ''sub'' instead.';
do $$
declare
  v_name text;
begin
  foreach v_name in array array['table auth.users', 'table auth.sessions', 'table auth.schema_migrations',
    'function auth.uid()', 'function auth.role()', 'function auth.email()', 'function auth.jwt()'] loop
    execute format('alter %s owner to supabase_auth_admin', v_name);
  end loop;
end;
$$;
grant all on all tables in schema auth to dashboard_user, postgres;
revoke all on auth.schema_migrations from dashboard_user, postgres;
grant all on all routines in schema auth to dashboard_user, postgres;
alter default privileges for role supabase_auth_admin in schema auth grant all on tables to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth grant all on routines to postgres, dashboard_user;

create schema storage;
grant all on schema storage to supabase_storage_admin, dashboard_user;
grant usage on schema storage to postgres, anon, authenticated, service_role;
create table storage.objects (id uuid primary key, name text, owner uuid references auth.users);
alter table storage.objects owner to supabase_storage_admin;
alter table storage.objects enable row level security;

-- The superuser has done his work.
alter role postgres nosuperuser createdb createrole login replication bypassrls;

-- A project: its own tables in public, one with the name of one of ours, and a trigger on auth.users.
set role postgres;
create table public.waitlist_entries (
  id bigint generated always as identity primary key,
  user_id uuid not null default auth.uid()
);
alter table public.waitlist_entries enable row level security;
create policy own on public.waitlist_entries for all to authenticated using (user_id = (select auth.uid()));
alter publication supabase_realtime add table public.waitlist_entries;
create table public.open_to_all (id int);
create function public.clock() returns timestamptz language sql as 'select now()';
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = ''
as $$ begin insert into public.waitlist_entries (user_id) values (new.id); return new; end $$;
create trigger on_auth_user_created after insert on auth.users
for each row execute function public.handle_new_user();
reset role;
