-- The functions that a client may call, with their arguments in order.
select
  functions.proname::text as name,
  functions.provolatile <> 'v' as reads_only,
  functions.prorettype = 'void'::regtype as is_void,
  coalesce(obj_description(functions.oid, 'pg_proc'), '') as comment,
  array(
    select roles.name
    from unnest(array['anon', 'authenticated', 'service_role']) as roles (name)
    where has_function_privilege(roles.name, functions.oid, 'execute')
  ) as roles,
  coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'name', functions.proargnames[arguments.number],
          'type', format_type(arguments.type, null),
          'default', pg_get_function_arg_default(functions.oid, arguments.number::integer)
        )
        order by arguments.number
      )
      from unnest(functions.proargtypes::oid[]) with ordinality as arguments (type, number)
    ),
    '[]'
  ) as arguments
from pg_proc as functions
where functions.pronamespace = 'api'::regnamespace
  and (
    has_function_privilege('anon', functions.oid, 'execute')
    or has_function_privilege('authenticated', functions.oid, 'execute')
    or has_function_privilege('service_role', functions.oid, 'execute')
  )
order by functions.proname
