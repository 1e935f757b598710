-- app.is_service(): whether the request runs as service_role.
--
-- Asks the session, not the token: `set role` can't be forged by a claim, and it is seen through a definer.

create or replace function app.is_service()
returns boolean
language sql
stable
parallel safe
as $function$
  select pg_catalog.current_setting('role', true) = 'service_role'
$function$;

comment on function app.is_service() is
'Whether the request runs as service_role, also within a definer.';

revoke all on function app.is_service() from public;
