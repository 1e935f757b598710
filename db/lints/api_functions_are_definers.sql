-- Every function of api is a definer.
--
-- A request's role holds no right to write a table, and few to read one: what a function of api may do is decided in it.
select functions.oid::regprocedure::text as found
from pg_proc as functions
where functions.pronamespace = 'api'::regnamespace
  and not functions.prosecdef;
