-- Roles, memberships and closed defaults. Run once for each database, by a superuser, before the first
-- migration; running it again changes nothing. No passwords: those are set where the roles are used.
--
-- Safe beside Supabase: a role that exists keeps its attributes, and a setting that a role already has is
-- not replaced. After this script nothing needs a superuser.
--
-- Extensions that grant their functions to everyone (pgTAP in tests) go into schemas of their own before it.

-- Roles.
-- anon:             a request without a token.
-- authenticated:    a member, known by the token's `sub`.
-- service_role:     trusted servers; sees every row, still only through what is granted by name.
-- authenticator:    what PostgREST logs in as; inherits nothing, it only may become one of the three above.
-- circle27_owner:   owns api, app, events and ops. Nobody logs in as it.
-- circle27_auth:    owns identity and audit, so that a fault in an app function reads no secret and alters no trail.
-- circle27_migrator: deploys; acts as either owner by `set role`. Not a superuser.
-- circle27_worker:  the background worker; may call the functions granted to it by name, and touch no table.
-- circle27_monitor: reads statistics, no data.
do $roles$
declare
  v_role record;
begin
  for v_role in
    select *
    from (values
      ('anon', 'nologin'),
      ('authenticated', 'nologin'),
      ('service_role', 'nologin bypassrls'),
      ('authenticator', 'login noinherit'),
      ('circle27_owner', 'nologin'),
      ('circle27_auth', 'nologin'),
      ('circle27_migrator', 'login'),
      ('circle27_worker', 'login'),
      ('circle27_monitor', 'login')
    ) as roles (name, attributes)
    where to_regrole(roles.name) is null
  loop
    begin
      execute format('create role %I %s', v_role.name, v_role.attributes);
    exception when duplicate_object or unique_violation then
      null;  -- another run made it a moment ago: roles belong to the whole cluster
    end;
  end loop;
end;
$roles$;

-- PostgREST becomes the role that the token names, and no other.
grant anon to authenticator;
grant authenticated to authenticator;
grant service_role to authenticator;

-- Migrations create everything as the owner it shall have, so that no `alter ... owner` is ever needed.
grant circle27_owner to circle27_migrator;
grant circle27_auth to circle27_migrator;

-- Statistics of all sessions, and not one row of a table.
grant pg_monitor to circle27_monitor;

-- Database rights, by name. Reasons beside each.
do $database$
declare
  v_database text := current_database();
begin
  -- A temporary table or domain can shadow a name inside a careless function; nothing here needs one.
  execute format('revoke create, temporary on database %I from public', v_database);

  -- Who may log in here is a list. (Supabase's own services rely on PUBLIC: leave theirs as it is.)
  if to_regrole('supabase_admin') is null then
    execute format('revoke connect on database %I from public', v_database);
  end if;
  execute format(
    'grant connect on database %I to authenticator, circle27_migrator, circle27_worker, circle27_monitor', v_database
  );

  -- The owners create their schemas; the migrator creates the registry of migrations (schema sqitch).
  execute format('grant create on database %I to circle27_owner, circle27_auth, circle27_migrator', v_database);

  -- Supabase brings auth.uid() and its kin: our functions only need to reach them.
  if to_regnamespace('auth') is not null and to_regrole('supabase_admin') is not null then
    grant usage on schema auth to circle27_owner, circle27_auth;
  end if;
end;
$database$;

-- Nothing of ours lives in public, and nobody shall add to it (the default only since PostgreSQL 15).
revoke create on schema public from public;

-- A new function is closed until a grant names its callers. PostgreSQL's default is the opposite.
alter default privileges for role circle27_owner revoke execute on functions from public;
alter default privileges for role circle27_auth revoke execute on functions from public;
alter default privileges for role circle27_migrator revoke execute on functions from public;

-- Limits. PostgREST applies those of the role it becomes to each request; those of authenticator hold for
-- the pooled connection itself. A setting that is there already is kept: an operator's choice survives.
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
    where not exists (
      select 1
      from pg_roles as roles
      cross join unnest(roles.rolconfig) as config (entry)
      where roles.rolname = settings.role
        and config.entry like settings.name || '=%'
    )
  loop
    execute format('alter role %I set %I = %L', v_setting.role, v_setting.name, v_setting.value);
  end loop;
end;
$settings$;
