-- Outside of api, only these definers are called by a role that logs in or that a request runs as.
--
-- A definer runs with all rights of its owner: each one that can be reached from outside is a door, stands in this list,
-- and has its test in tests/<schema>/<function>.sql.
select functions.oid::regprocedure::text as found
from pg_proc as functions
inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and functions.prosecdef
  and schemas.nspname <> 'api'
  and schemas.nspname || '.' || functions.proname <> all(array[
    'app.emit_counts',            -- the worker
    'app.limit_write',            -- app.pre_request()
    'app.member_time_zone',       -- app.pre_request(), before it knows more than the token
    'app.my_circle_rows',         -- policies
    'app.my_id',                  -- policies
    'app.my_mates',               -- policies
    'app.my_place_rows',          -- policies
    'app.my_places',              -- policies
    'app.open_time_slots',        -- the worker
    'app.run_due_deadlines',      -- the worker
    'audit.open_partitions',      -- the worker
    'events.close_streams',       -- the gateway's porter
    'events.end_expired_streams', -- the worker
    'events.outbox_status',       -- the monitor
    'events.renew_gateway',       -- the gateway's porter
    'events.take',                -- the worker
    'identity.forget_old',        -- the worker
    'identity.mail_failed',       -- the mailer
    'identity.mail_sent',         -- the mailer
    'identity.mail_status',       -- the monitor
    'identity.session_is_over',   -- app.pre_request()
    'identity.take_mails',        -- the mailer
    'ops.forget_full_buckets'     -- the worker
  ])
  and exists (
    select
    from pg_roles as roles
    where has_function_privilege(roles.oid, functions.oid, 'execute')
      and not roles.rolsuper
      and roles.rolname not in ('circle27_owner', 'circle27_auth', 'circle27_migrator')
  );
