-- What PostgREST adds to a call is seen in the statement; tests/http/test_login.py has PostgREST add it.

begin;
select plan(9);

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
select * from finish();
rollback;
