-- Every table of a tenant that a function reads or writes is bound to a campus, at each place where it is named.
--
-- So a query stays on the node that holds the campus, finds rows by their key, and can't see another campus's even if an
-- id were the same there. What looks for work on all campuses, or for all that is a member's own, is listed.
with named as (
  select
    functions.oid::regproc::text as function_name,
    coalesce(places.found[2], places.found[1]) as alias,
    regexp_replace(functions.prosrc, '--[^\n]*', '', 'g') as body
  from pg_proc as functions
  inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
  cross join
    regexp_matches(
      regexp_replace(functions.prosrc, '--[^\n]*', '', 'g'),
      '(?:from|join|update)\s+(?:only\s+)?(?:app|events)\.(\w+)(?:\s+as\s+(\w+))?', 'g'
    ) as places (found)
  where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
    and places.found[1] in (
      select tables.relname
      from pg_class as tables
      inner join pg_attribute as columns on columns.attrelid = tables.oid and columns.attname = 'campus_id'
      where tables.relnamespace = 'app'::regnamespace
        and tables.relkind in ('r', 'p')
        -- The two directories say which campus.
        and tables.relname not in ('user_campuses', 'campus_domains')
    )
),

bound as (
  select
    function_name,
    alias,
    count(*) as places,
    (
      select count(*)
      from regexp_matches(min(body), '\m' || alias || '\.campus_id (?:=|<>)|(?:=) ' || alias || '\.campus_id\M', 'g')
    ) as conditions
  from named
  group by function_name, alias
)

select function_name || ' ' || alias as found
from bound
where conditions < places
  and function_name || ' ' || alias <> all(array[
    'app.my_place_rows places',     -- all of a member's own
    'app.my_places places',         -- all of a member's own
    'app.open_time_slots campuses',
    'app.run_due_deadlines slots',
    'app.set_clock_offset campuses'
  ])
order by 1;
