-- The tokens of a session as it is now; tests/identity/test_issued_tokens.py has a library check them.

begin;
select plan(10);

select tests.may_call('identity.session_tokens(uuid, timestamptz)', array[]::text[]);
select tests.create_member('ann', 'stanford', 'pro');
select identity.add_key('tests', convert_to(repeat('k', 64), 'UTF8'));
create table tests.made as select identity.begin_session('stanford', tests.member('ann'), tests.noon()) as session_id;
create table tests.got as select identity.session_tokens(session_id, tests.noon('0.7 s')) as tokens from tests.made;

select is(
  tokens - array['accessToken', 'refreshToken'],
  jsonb_build_object(
    'tokenType', 'bearer', 'expiresIn', 3600, 'expiresAt', tests.noon('1 h'), 'sessionId', session_id,
    'userId', tests.member('ann'), 'campusId', 'stanford', 'timeZone', 'America/Los_Angeles'
  ), 'what it says; whole seconds, never beyond the hour'
) from tests.got, tests.made;
select is(
  tests.token_part(tokens ->> 'accessToken'),
  jsonb_build_object(
    'aud', 'authenticated', 'role', 'authenticated', 'sub', tests.member('ann'), 'session_id', session_id, 'campus_id', 'stanford',
    'tier', 'pro', 'tz', 'America/Los_Angeles', 'iat', extract(epoch from tests.noon())::bigint, 'exp', extract(epoch from tests.noon('1 h'))::bigint
  ), 'the claims'
) from tests.got, tests.made;
select is(
  tokens ->> 'refreshToken', session_id || '.0.' || identity.base64url(identity.secret_hash('refresh:' || session_id || '.0')),
  'a refresh token of this generation'
) from tests.got, tests.made;
select is(identity.session_tokens(session_id, tests.noon('0.7 s')), tokens, 'the same again') from tests.got, tests.made;
update identity.sessions set generation = 7;
select is(split_part(identity.session_tokens(session_id, tests.noon()) ->> 'refreshToken', '.', 2), '7', 'of the next generation') from tests.made;
update identity.sessions set expires_at = tests.noon('90.5 s');
select is((identity.session_tokens(session_id, tests.noon()) ->> 'expiresIn')::int, 90, 'no access token outlives its session') from tests.made;
update identity.settings set access_token_life = '5 min';
update identity.sessions set expires_at = tests.noon('1 h');
select is((identity.session_tokens(session_id, tests.noon()) ->> 'expiresIn')::int, 300, 'its life is a setting') from tests.made;
select throws_ok($$ select identity.session_tokens(gen_random_uuid(), tests.noon()) $$, 'P0002', null, 'there is none without a session');
delete from app.users where user_id = tests.member('ann');
select tests.refused(format('select identity.session_tokens(%L, tests.noon())', session_id), 'PT404', 'member_not_found', 'nor without a member') from tests.made;

select * from finish();
rollback;
