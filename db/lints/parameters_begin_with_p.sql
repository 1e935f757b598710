-- Every parameter has a name that begins with p_: they are the JSON keys of clients, and never a column's name.
select functions.oid::regprocedure::text as found
from pg_proc as functions
inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and schemas.nspname <> 'gist'  -- an extension's
  and exists (
    select
    from generate_series(1, functions.pronargs) as arguments (number)
    where coalesce(functions.proargnames[arguments.number], '') !~ '^p_'
  );
