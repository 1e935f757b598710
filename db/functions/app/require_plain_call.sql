-- app.require_plain_call(): refuse a call whose answer PostgREST is asked to filter, cast or order.
--
-- For functions that count what goes wrong and return app.denial(). PostgREST runs the caller's filters in the same
-- statement, after the function: one that fails only on a denial (`?pgrst_scalar->>details=like.login\`, a pattern that
-- ends in its escape character) rolled the counting back, and codes could be guessed for ever (tried). The statement is all that
-- tells; what the caller wrote stands in it as parameters only. So this must come before anything else, and raises.
--
-- The same goes for a GeoJSON answer, where the database has PostGIS: its ST_AsGeoJSON fails on whatever has no geometry. And for
-- two preferences that roll back by themselves: tx=rollback, where the configuration allows it, and max-affected, which newer
-- PostgREST know.
--
-- LIMIT and OFFSET stand in every statement where PostgREST has db-max-rows. Numbers can't fail: who cuts the answer
-- away is counted and learns nothing, or (limit=0) the function is not called at all.

create or replace function app.require_plain_call()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if current_query() ~ 'pgrst_source.*\m(WHERE|CAST|ORDER|ST_AsGeoJSON)\M'
    or nullif(current_setting('request.headers', true), '')::json ->> 'prefer' ~* '\m(tx *= *rollback|max-affected)\M'
  then
    perform app.refuse('call_not_plain');
  end if;
end;
$function$;

comment on function app.require_plain_call() is
'Refuse a call with filters on its answer, or preferences, that could undo what the call counts. Refuses call_not_plain.';

revoke all on function app.require_plain_call() from public;
