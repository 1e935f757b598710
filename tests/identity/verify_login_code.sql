-- Signing in: the right code, in time, once; five wrong tries and no more.

begin;
select plan(45);

select tests.may_call('identity.verify_login_code(text, text, timestamptz)', array[]::text[]);
select is_definer('identity', 'verify_login_code', 'the api has no right on the tables');

select tests.create_member('ann');
select tests.create_campus('mit', 'America/New_York');
select identity.add_key('tests', convert_to(repeat('k', 64), 'UTF8'));
create function tests.verifies(p_code text, p_later interval default '0', p_email text default 'ann@stanford.edu')
returns jsonb
language sql
as $$ select identity.verify_login_code(p_email, p_code, tests.noon(p_later)) $$;
create function tests.tries_left()
returns integer
language sql
as $$ select tries_left from identity.login_codes where email = 'ann@stanford.edu' $$;
create table tests.codes (name text, code text);

-- Nothing to verify.
select tests.denied($$ select tests.verifies('123456') $$, '422', 'login_code_wrong', 'nobody asked');
select identity.request_login_code('ann@stanford.edu', tests.noon('-1 h'));
select tests.denied($$ select tests.verifies('123456', '-1 h') $$, '422', 'login_code_wrong', 'asked, and not sent yet');
select is(tests.tries_left(), 0, 'which costs nothing');
select tests.denied($$ select identity.verify_login_code(null, null, tests.noon()) $$, '422', 'login_code_wrong', 'nothing');
select tests.denied($$ select tests.verifies('1', '0', 'ann@elsewhere.org') $$, '422', 'login_code_wrong', 'an unknown domain is told nothing');
select is((select count(*) from tests.trail() where action = 'login.denied'), 0::bigint, 'the trail is not filled by these');
delete from identity.mails;
delete from identity.login_codes;

-- Right.
insert into tests.codes values ('right', tests.login_code('ann@stanford.edu'));
create table tests.got as select tests.verifies(code) as first from tests.codes;
select is(
  tests.keys(first), 'accessToken campusId expiresAt expiresIn refreshToken sessionId timeZone tokenType userId', 'tokens'
) from tests.got;
select is(first ->> 'userId', tests.member('ann')::text, 'for the member who has the address') from tests.got;
select results_eq(
  $$ select user_id, campus_id, generation, created_at, renewed_at, expires_at, ended_at from identity.sessions $$,
  $$ select tests.member('ann'), 'stanford', 0, tests.noon(), tests.noon(), tests.noon('720 h'), null::timestamptz $$, 'and a session'
);
select results_eq(
  $$ select action, member, details ->> 'sessionId' from tests.trail() where action like 'session%' $$,
  $$ select 'session.begun', 'ann', first ->> 'sessionId' from tests.got $$, 'which the trail knows'
);

-- Again, as the answer got lost: the same session, for ten seconds.
select is(tests.verifies(code, '9.999999 s') ->> 'refreshToken', first ->> 'refreshToken', 'again: the same session') from tests.codes, tests.got;
select is((select count(*) from identity.sessions), 1::bigint, 'no second one');
select tests.denied(format('select tests.verifies(%L, %L)', code, '10 s'), '422', 'login_code_wrong', 'after ten seconds it is used up') from tests.codes;
select tests.denied(format('select tests.verifies(%L, %L)', tests.wrong_code(code), '1 s'), '422', 'login_code_wrong', 'a used code can''t be guessed') from tests.codes;
select is(tests.tries_left(), 4, 'without paying for it');
select tests.denied(format('select tests.verifies(%L, %L)', tests.wrong_code(code), '1 s'), '422', 'login_code_wrong', 'ever') from tests.codes, generate_series(1, 4);
select tests.denied(format('select tests.verifies(%L, %L)', code, '1 s'), '422', 'login_code_wrong', 'not even the right one, then') from tests.codes;
update identity.login_codes set tries_left = 5;
select identity.refresh_session(first ->> 'refreshToken', tests.noon('2 s')) from tests.got;
select tests.denied(format('select tests.verifies(%L, %L)', code, '3 s'), '422', 'login_code_wrong', 'once the session went on, the code gives nothing') from tests.codes;
update identity.sessions set generation = 0, ended_at = tests.noon('2 s');
select tests.denied(format('select tests.verifies(%L, %L)', code, '3 s'), '422', 'login_code_wrong', 'nor once it was ended') from tests.codes;

-- Five wrong tries, which survive.
update tests.codes set code = tests.login_code('ann@stanford.edu', tests.noon('1 h'));
select tests.verifies(tests.wrong_code(code), '1 h') from tests.codes, generate_series(1, 4);
select is(tests.tries_left(), 1, 'four wrong tries leave one');
savepoint four;
select isnt(tests.verifies(code, '1 h') ->> 'accessToken', null, 'the right code still counts') from tests.codes;
rollback to four;
select tests.denied(format('select tests.verifies(%L, %L)', tests.wrong_code(code), '1 h'), '422', 'login_code_wrong', 'the fifth') from tests.codes;
select tests.denied(format('select tests.verifies(%L, %L)', code, '1 h'), '422', 'login_code_wrong', 'after it the right code is worthless') from tests.codes;
select is(tests.tries_left(), 0, 'and nothing is counted below none');
select is((select count(*) from tests.trail() where action = 'login.denied'), 10::bigint, 'the trail has each try that counted');

-- Ten minutes.
update tests.codes set code = tests.login_code('ann@stanford.edu', tests.noon('2 h'));
select tests.denied(format('select tests.verifies(%L, %L)', code, '02:10'), '422', 'login_code_wrong', 'at ten minutes it is too late') from tests.codes;
select is(tests.tries_left(), 5, 'which is no try');
select isnt(tests.verifies(code, '02:09:59.999999') ->> 'accessToken', null, 'a moment before it is not') from tests.codes;
select isnt(tests.verifies(code, '02:10:05') ->> 'accessToken', null, 'and its repetition may come after') from tests.codes;

-- A code belongs to its address, however that is written; a newer one takes its place.
update tests.codes set code = tests.login_code('ann@stanford.edu', tests.noon('3 h'));
insert into tests.codes values ('bob', tests.login_code('bob@stanford.edu', tests.noon('3 h')));
select tests.denied(format('select tests.verifies(%L, %L)', bob.code, '3 h'), '422', 'login_code_wrong', 'the code of another address')
from tests.codes as bob, tests.codes as ann where bob.name = 'bob' and ann.name = 'right' and ann.code <> bob.code;
select tests.denied(format('select tests.verifies(%L, %L)', null, '3 h'), '422', 'login_code_wrong', 'no code');
select is(tests.tries_left(), 3, 'both are tries');
update tests.codes set code = tests.login_code('ann@stanford.edu', tests.noon('04:30')) where name = 'right';
select isnt(
  tests.verifies('  ' || code || ' ', '04:30', '  Ann@STANFORD.edu ') ->> 'accessToken', null, 'blanks and capitals play no part'
) from tests.codes where name = 'right';

-- Who is no member yet becomes one.
select is(tests.member('bob'), null, 'Bob is nobody yet');
select is(tests.verifies(code, '3 h', 'bob@stanford.edu') ->> 'campusId', 'stanford', 'he signs in') from tests.codes where name = 'bob';
select is((select count(*) from app.users where email = 'bob@stanford.edu'), 1::bigint, 'and is a member');

-- What must not undo the counting: the campus gave its domain up.
update tests.codes set code = tests.login_code('dan@mit.edu', tests.noon()) where name = 'right';
delete from app.campus_domains where domain = 'mit.edu';
select tests.refused(format('select tests.verifies(%L, %L, %L)', c, '1 s', 'dan@mit.edu'), 'PT422', 'email_domain_unknown', 'right or wrong: its domain is no campus''s')
from tests.codes, unnest(array[code, tests.wrong_code(code)]) as tried (c) where name = 'right';

-- Without a key.
update tests.codes set code = tests.login_code('eve@stanford.edu', tests.noon()) where name = 'right';
delete from identity.keys where purpose = 'access';
select tests.refused(format('select tests.verifies(%L, %L, %L)', code, '1 s', 'eve@stanford.edu'), 'PT503', 'login_unavailable', 'without a key nobody signs in')
from tests.codes where name = 'right';
select is((select used_at from identity.login_codes where email = 'eve@stanford.edu'), null, 'and the code is kept');

select * from finish();
rollback;
