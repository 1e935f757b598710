-- A JWT that others can read and check; tests/identity/test_issued_tokens.py has a library do it.

begin;
select plan(9);

select tests.may_call('identity.sign_token(jsonb)', array[]::text[]);
select function_privs_are('identity', 'sign_token', array['jsonb'], 'circle27_owner', array[]::text[], 'the owner of app signs nothing');
select tests.refused($$ select identity.sign_token('{}') $$, 'PT503', 'login_unavailable', 'without a key');

select identity.add_key('old', decode(repeat('aa', 32), 'hex'));
select identity.add_key('new', decode(repeat('bb', 32), 'hex'));
create table tests.made as select identity.sign_token('{"sub": "ö", "exp": 1}') as token;

select is(tests.token_part(token, 1), '{"alg": "HS256", "typ": "JWT", "kid": "new"}', 'its header names the newest key') from tests.made;
select is(tests.token_part(token, 2), '{"sub": "ö", "exp": 1}', 'it carries the claims, in UTF-8') from tests.made;
select is(
  split_part(token, '.', 3),
  identity.base64url(identity.hmac_sha256(
    decode(repeat('bb', 32), 'hex'), convert_to(split_part(token, '.', 1) || '.' || split_part(token, '.', 2), 'UTF8')
  )),
  'signed by that key, over both'
) from tests.made;
select matches(token, '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$', 'three parts without padding') from tests.made;
select is(length(split_part(token, '.', 3)), 43, 'a signature of 32 bytes') from tests.made;
select is(tests.token_part(identity.sign_token(jsonb_build_object('x', repeat('y', 3000)))) ->> 'x', repeat('y', 3000), 'long claims have no line breaks');

select * from finish();
rollback;
