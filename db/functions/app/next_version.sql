-- app.next_version(): the next version of a slot or an entry.
--
-- Take it after the lock is held: only then do versions grow in the order in which changes become visible.

create or replace function app.next_version()
returns bigint
language sql
volatile
as $function$
  select pg_catalog.nextval('app.version_seq')
$function$;

comment on function app.next_version() is
'The next version of a slot or an entry. Call it after the lock is held.';

revoke all on function app.next_version() from public;
