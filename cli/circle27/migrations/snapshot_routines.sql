-- The routines that a snapshot made, each with what `create or replace` can't change: kind, name, arguments, result.
select
  routines.oid::bigint,
  concat_ws(
    ' ', routines.prokind, routines.pronamespace::regnamespace, quote_ident(routines.proname),
    pg_get_function_arguments(routines.oid), '->', pg_get_function_result(routines.oid)
  ) as signature
from pg_proc as routines
where %(owners)s::jsonb ->> routines.pronamespace::regnamespace::text = routines.proowner::regrole::text
