-- app.api_version(): the version of the interface, in one place.

create or replace function app.api_version()
returns text
language sql
immutable
parallel safe
as $function$
  select '0.1.0'
$function$;

comment on function app.api_version() is
'The version of the interface that this database serves.';

revoke all on function app.api_version() from public;
