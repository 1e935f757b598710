-- A function of api that may answer with app.denial() asks app.require_plain_call() before all else.
--
-- A denial commits, so that what it counts stays; a filter on the answer that fails would undo it. Calls are followed
-- through other functions, whatever their schema.
with recursive bodies as (
  select
    functions.oid,
    (schemas.nspname || '.' || functions.proname) collate "C" as name,
    regexp_replace(functions.prosrc, '--[^\n]*', '', 'g') as body
  from pg_proc as functions
  inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
  where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
),

denying as (
  select 'app.denial' collate "C" as name
  union
  select bodies.name
  from denying
  inner join bodies on bodies.body ~ ('\m' || replace(denying.name, '.', '\.') || '\(')
)

select bodies.oid::regprocedure::text as found
from bodies
inner join denying on denying.name = bodies.name
where bodies.name like 'api.%'
  and bodies.body !~ '^\s*(declare\M((?!\mbegin\M).)*)?\mbegin\s+perform app\.require_plain_call\(\);';
