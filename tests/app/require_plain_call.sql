-- What PostgREST adds to a call is seen in the statement; tests/http/test_login.py has PostgREST add it.

begin;
select plan(13);

-- As PostGIS has it: it fails on what has no geometry.
create function tests.ST_AsGeoJSON(record) returns text language plpgsql as $$ begin raise exception 'no geometry'; end $$;

select tests.may_call('app.require_plain_call()', array[]::text[]);
select lives_ok('select app.require_plain_call()', 'from SQL anything goes');
select lives_ok('select app.require_plain_call() where true limit 1', 'with a condition, too');
select lives_ok(
  $$ with pgrst_source as (select app.require_plain_call()) select json_agg(q)->0 from (select q.* from pgrst_source as q LIMIT 1000 OFFSET 0) as q $$,
  'a plain call as PostgREST writes it'
);
select lives_ok(
  $$ with pgrst_source as (select app.require_plain_call()) select * from (select q.* from pgrst_source as q LIMIT 1000 OFFSET 0) as p $$,
  'and where no answer may have more rows than so many'
);
select tests.refused(
  format('with pgrst_source as (select app.require_plain_call() as x) select * from (select %s from pgrst_source as q %s) as p', columns, more),
  'PT422', 'call_not_plain', name
)
from (values
  ('a filter', 'q.*', 'WHERE x::text = $$a$$'),
  ('an order', 'q.*', 'ORDER BY x::text'),
  ('a cast', 'CAST(x::text as text)', ''),
  ('and one after a line', 'q.*', E'\n\nWHERE true')
) as calls (name, columns, more);
select tests.refused(
  'with pgrst_source as (select app.require_plain_call() as x) select coalesce(json_agg(tests.ST_AsGeoJSON(p)::json)) from (select q.* from pgrst_source as q) as p',
  'PT422', 'call_not_plain', 'GeoJSON of what has no geometry'
);
select tests.refused('select app.require_plain_call()', 'PT422', 'call_not_plain', prefer)
from (values ('return=minimal, tx=rollback'), ('handling=strict, max-affected=0')) as headers (prefer)
cross join lateral (select set_config('request.headers', jsonb_build_object('prefer', prefer)::text, true)) as sent;
select set_config('request.headers', '{"prefer": "count=exact, tx=commit"}', true);
select lives_ok('select app.require_plain_call()', 'other preferences harm nothing');
select * from finish();
rollback;
