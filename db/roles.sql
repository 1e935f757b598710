-- Roles, memberships and closed defaults. Run once for each database, before the first migration; running it
-- again changes nothing. No passwords: those are set where the roles are used.
--
-- By a superuser, or by the database's owner with CREATEROLE where anon, authenticated, service_role and
-- authenticator exist (Supabase's postgres). After this script nothing needs more than circle27_migrator.
--
-- Safe beside Supabase: a role that exists keeps its attributes, memberships and settings, and a database whose
-- schema auth belongs to others keeps what they granted. All that is added is for our roles.
--
-- Extensions that grant their functions to everyone (pgTAP in tests) go into schemas of their own before it.

-- Who can't do all of it, does nothing of it.
do $may$
begin
  if not exists (
    select
    from pg_roles
    inner join pg_database on datname = current_database()
    where rolname = current_user
      and (rolsuper or (rolcreaterole and pg_has_role(datdba, 'usage')))
  ) then
    raise insufficient_privilege using
      message = format(
        'db/roles.sql is for a superuser, or the owner of database %s with CREATEROLE; %s is neither.',
        current_database(), current_user
      ),
      hint = 'Connect as a superuser; on Supabase, as postgres.';
  end if;
end;
$may$;

-- Roles. A comment that begins with `Circle27:` says that a role is ours.
do $roles$
declare
  v_role record;
begin
  for v_role in
    select *
    from (values
      ('anon', 'nologin', 'a request without a token.'),
      ('authenticated', 'nologin', 'a member, known by the token''s `sub`.'),
      ('service_role', 'nologin bypassrls', 'trusted servers; every row, still only through what is granted by name.'),
      ('authenticator', 'login noinherit', 'PostgREST logs in as it; it only may become one of the three above.'),
      ('circle27_owner', 'nologin', 'owns api, app, events and ops. Nobody logs in as it.'),
      -- Two owners, so that a fault in an app function reads no secret and alters no trail.
      ('circle27_auth', 'nologin', 'owns identity and audit. Nobody logs in as it.'),
      ('circle27_migrator', 'login', 'deploys; acts as either owner by `set role`. Not a superuser.'),
      ('circle27_worker', 'login', 'the background worker; calls what is granted by name, touches no table.'),
      ('circle27_monitor', 'login', 'reads statistics, no data.')
    ) as roles (name, attributes, is_for)
    where to_regrole(roles.name) is null
  loop
    begin
      execute format('create role %I %s', v_role.name, v_role.attributes);
      execute format('comment on role %I is %L', v_role.name, 'Circle27: ' || v_role.is_for);
    exception
      when duplicate_object or unique_violation then
        null;  -- another run made it a moment ago: roles belong to the whole cluster
      when insufficient_privilege then
        raise insufficient_privilege using
          message = format('role %s is missing, and %s may not make it (%s).', v_role.name, current_user, sqlerrm),
          hint = 'Run db/roles.sql as a superuser.';
    end;
  end loop;
end;
$roles$;

-- Memberships that are missing: PostgREST becomes the role that the token names, and no other. Migrations create
-- everything as the owner it shall have, so that no `alter ... owner` is ever needed.
do $memberships$
declare
  v_membership record;
begin
  for v_membership in
    select *
    from (values
      ('anon', 'authenticator'),
      ('authenticated', 'authenticator'),
      ('service_role', 'authenticator'),
      ('circle27_owner', 'circle27_migrator'),
      ('circle27_auth', 'circle27_migrator')
    ) as memberships (role, member)
    where not pg_has_role(memberships.member, memberships.role, 'member')
  loop
    execute format('grant %I to %I', v_membership.role, v_membership.member);
  end loop;
end;
$memberships$;

-- Statistics of all sessions, and not one row of a table.
do $monitor$
begin
  if not pg_has_role('circle27_monitor', 'pg_monitor', 'member') then
    grant pg_monitor to circle27_monitor;
  end if;
exception when insufficient_privilege then  -- since PostgreSQL 16 CREATEROLE gives away only what it has made
  raise warning 'circle27_monitor sees the statistics of its own sessions only: % may not grant it pg_monitor.',
    current_user
    using hint = 'A superuser may: grant pg_monitor to circle27_monitor;';
end;
$monitor$;

-- Database rights, by name. Reasons beside each.
do $database$
declare
  v_database  text := current_database();
  v_auth_of   regrole;  -- whose schema auth is, if others'
  v_owner     text;
  v_missing   text;
begin
  select nspowner::regrole into v_auth_of
  from pg_namespace
  where nspname = 'auth' and nspowner <> 'circle27_owner'::regrole;

  -- (Supabase's own services rely on what PUBLIC may: theirs stays as it is.)
  if v_auth_of is null then
    -- A temporary table or domain can shadow a name inside a careless function; nothing here needs one.
    execute format('revoke create, temporary on database %I from public', v_database);
    -- Who may log in here is a list.
    execute format('revoke connect on database %I from public', v_database);
    -- Nothing of ours lives in public, and nobody shall add to it (the default only since PostgreSQL 15).
    revoke create on schema public from public;
  end if;

  -- The owners create their schemas; the migrator creates the registry of migrations (schema sqitch).
  execute format('grant create on database %I to circle27_owner, circle27_auth, circle27_migrator', v_database);
  execute format('grant connect on database %I to circle27_migrator, circle27_worker, circle27_monitor', v_database);
  if not has_database_privilege('authenticator', v_database, 'connect') then
    execute format('grant connect on database %I to authenticator', v_database);
  end if;

  if v_auth_of is null then
    return;
  end if;

  -- Their auth.uid() and its kin are used as they are: our functions only need to reach them.
  select string_agg(name, ', ') into v_missing
  from unnest(array['auth.uid()', 'auth.role()', 'auth.jwt()']) as name
  where to_regprocedure(name) is null;
  if v_missing is not null then
    raise undefined_function using
      message = format('schema auth belongs to %s and lacks %s.', v_auth_of, v_missing),
      hint = 'Start Supabase Auth once, which makes them; then run db/roles.sql again.';
  end if;

  foreach v_owner in array array['circle27_owner', 'circle27_auth'] loop
    if has_schema_privilege(v_owner, 'auth', 'usage') then
      continue;
    elsif has_schema_privilege('auth', 'usage with grant option') then
      execute format('grant usage on schema auth to %I', v_owner);
    else
      -- Supabase's postgres may not grant the schema. authenticated may use it, and its rights are small.
      execute format('grant authenticated to %I', v_owner);
    end if;
  end loop;
exception when insufficient_privilege then
  raise insufficient_privilege using
    message = format('%s may not let our roles into this database (%s).', current_user, sqlerrm),
    hint = 'Run db/roles.sql as a superuser.';
end;
$database$;

-- A new function is closed until a grant names its callers. PostgreSQL's default is the opposite.
do $closed$
declare
  v_owner text;
  v_lent  boolean;
begin
  foreach v_owner in array array['circle27_owner', 'circle27_auth', 'circle27_migrator'] loop
    v_lent := not pg_has_role(v_owner, 'usage');  -- who made a role without being a superuser, lends it to itself
    if v_lent then
      execute format('grant %I to current_user', v_owner);
    end if;
    execute format('alter default privileges for role %I revoke execute on functions from public', v_owner);
    if v_lent then
      execute format('revoke %I from current_user', v_owner);
    end if;
  end loop;
end;
$closed$;

-- Limits of the roles that are ours. PostgREST applies those of the role it becomes to each request (it reads them with
-- `db-config`, when it starts and at SIGUSR2); those of authenticator hold for the pooled connection itself. A setting
-- that is there is kept: an operator's choice survives.
do $settings$
declare
  v_setting record;
begin
  for v_setting in
    select *
    from (values
      -- A request that takes seconds has lost its client; let it go before the pool fills.
      ('anon', 'statement_timeout', '3s'),
      ('anon', 'lock_timeout', '1s'),
      ('authenticated', 'statement_timeout', '8s'),
      ('authenticated', 'lock_timeout', '4s'),
      -- Trusted jobs may take longer, not for ever.
      ('service_role', 'statement_timeout', '60s'),
      ('service_role', 'lock_timeout', '10s'),
      -- The connection's own net, should a request come without a role's limits.
      ('authenticator', 'statement_timeout', '15s'),
      ('authenticator', 'lock_timeout', '5s'),
      ('authenticator', 'idle_in_transaction_session_timeout', '15s'),
      -- Short calls only: compiling a plan costs more than running it.
      ('authenticator', 'jit', 'off'),
      ('circle27_worker', 'jit', 'off'),
      -- A matching of a large slot takes seconds; a worker that hangs in a transaction blocks its queue.
      ('circle27_worker', 'statement_timeout', '60s'),
      ('circle27_worker', 'lock_timeout', '10s'),
      ('circle27_worker', 'idle_in_transaction_session_timeout', '60s'),
      -- Metrics must never be the load.
      ('circle27_monitor', 'statement_timeout', '5s'),
      ('circle27_monitor', 'lock_timeout', '1s'),
      ('circle27_monitor', 'default_transaction_read_only', 'on')
    ) as settings (role, name, value)
    inner join pg_roles as roles on roles.rolname = settings.role
    where (roles.rolname like 'circle27%' or shobj_description(roles.oid, 'pg_authid') like 'Circle27:%')
      and not exists (select from unnest(roles.rolconfig) as entry where entry like settings.name || '=%')
  loop
    execute format('alter role %I set %I = %L', v_setting.role, v_setting.name, v_setting.value);
  end loop;
end;
$settings$;
