-- A refusal that is an answer: the same body as a raised one, and what was written stays.

begin;
select plan(11);

select tests.may_call('app.denial(text, integer)', array[]::text[]);
select function_privs_are('app', 'denial', array['text', 'integer'], 'circle27_auth', array['EXECUTE'], 'identity functions answer with it');

select is(
  app.denial(slug), jsonb_build_object('code', 'PT' || status, 'message', message, 'details', slug, 'hint', hint), slug || ' in full'
) from app.error_registry() where slug in ('login_code_wrong', 'session_over');
select app.denial('login_code_wrong');
select is(current_setting('response.status'), '422', 'with its status');
select app.denial('session_over');
select is(current_setting('response.status'), '401', 'another one with another');
select is(tests.header('WWW-Authenticate'), 'Bearer', 'and what a 401 must have');
select app.denial('login_codes_exhausted', 17);
select is(current_setting('response.status'), '429', 'too many');
select is(tests.header('WWW-Authenticate'), null, 'has another header');
select is(tests.header('Retry-After'), '17', 'and when to come back');
select throws_ok($$ select app.denial('no_such_slug') $$, 'P0002', null, 'a slug that is not in the registry is our mistake');

select * from finish();
rollback;
