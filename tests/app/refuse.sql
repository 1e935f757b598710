-- One registry, one raiser.

begin;
select plan(8);

select throws_ok($$ select app.refuse('not_yours') $$, 'PT403', 'This is for the member concerned only', 'status and message of the registry');
select tests.refused($$ select app.refuse('not_yours') $$, 'PT403', 'not_yours', 'the slug is the DETAIL');
select tests.refused($$ select app.refuse('no such slug') $$, 'XX000', 'unknown_slug', 'an unknown slug is our own mistake');
select tests.refused($$ select app.refuse(null) $$, 'XX000', 'unknown_slug', 'and so is none');
select is_empty($$ select slug from app.error_registry() where status not in (401, 403, 404, 405, 409, 410, 422, 429, 503, 504) $$,
  'no status 400, which the gateway repeats, and none of the server''s but 503 and 504');
select is_empty($$ select slug from app.error_registry() group by slug having count(*) > 1 $$, 'slugs are unique');
select is_empty($$ select slug from app.error_registry() where slug !~ '^[a-z]+(_[a-z]+)*$' $$, 'slugs are stable words');
select is_empty($$ select slug from app.error_registry() where message !~ '^[A-Z][ -~]+[^.]$' or hint !~ '^[ -~]+$' or length(message) > 100 $$,
  'messages are one ASCII sentence: they stand in a status line');

select * from finish();
rollback;
