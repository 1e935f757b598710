-- Asking for a code: the same for everybody, strict by address.

begin;
select plan(41);

select tests.may_call('identity.request_login_code(text, timestamptz)', array[]::text[]);
select function_privs_are('identity', 'request_login_code', array['text', 'timestamptz'], 'circle27_owner', array['EXECUTE'], 'the api calls it');
select table_privs_are('identity', name, role, array[]::text[], role || ' has no right on ' || name)
from unnest(array['login_codes', 'mails', 'sessions']) as tables (name)
cross join unnest(array['circle27_owner', 'circle27_worker', 'authenticated']) as roles (role);

-- Ann is a member, Bob is not yet.
select tests.create_member('ann');
create function tests.asks(p_email text, p_later interval default '0')
returns jsonb
language sql
as $$ select identity.request_login_code(p_email, tests.noon(p_later)) $$;

select is(
  tests.asks('ann@stanford.edu') - 'email', tests.asks('bob@stanford.edu') - 'email', 'a member and a stranger get the same answer'
);
select is(
  tests.asks('ann@stanford.edu'),
  jsonb_build_object('email', 'ann@stanford.edu', 'codeLivesSeconds', 600, 'askAgainAt', tests.noon('30 s')),
  'what it says'
);
select results_eq(
  $$ select recipient, kind, facts, created_at, expires_at, next_try_at, attempts from identity.mails order by recipient $$,
  $$ select name || '@stanford.edu', 'login_code', '{"campusId": "stanford"}'::jsonb, tests.noon(), tests.noon('24 h'), tests.noon(), 0
    from unnest(array['ann', 'bob']) as people (name) $$,
  'one mail for each, and no code in it'
);
select is((select count(*) from identity.login_codes where code_hash is null and tries_left = 0), 2::bigint, 'and no code anywhere yet');
select results_eq(
  $$ select action, member, details from tests.trail() where action like 'login%' $$,
  $$ values ('login.requested', null::text, null::jsonb), ('login.requested', null, null) $$,
  'in the trail: that somebody asked, not for whom'
);

-- The pause of 30 seconds.
select tests.repeats($$ select tests.asks('ann@stanford.edu', '29.999999 s') $$, 'a moment too early: the same answer, nothing written');
select is(tests.asks('ann@stanford.edu', '29.999999 s') ->> 'askAgainAt', to_jsonb(tests.noon('30 s')) #>> '{}', 'which says when');
select is((select count(*) from tests.trail()), 0::bigint, 'nothing happened');
select is(tests.asks('ann@stanford.edu', '30 s') ->> 'askAgainAt', to_jsonb(tests.noon('60 s')) #>> '{}', 'after 30 seconds it counts again');
select is((select count(*) from identity.mails where recipient = 'ann@stanford.edu'), 1::bigint, 'the mail that waits is enough');
select is((select expires_at from identity.mails where recipient = 'ann@stanford.edu'), tests.noon('24 h 30 s'), 'and waits longer');

-- However it is written.
select is(tests.asks(E'  ANN@Stanford.EDU ', '45 s') ->> 'email', 'ann@stanford.edu', 'blanks and capitals are no other address');
select is((select count(*) from identity.login_codes), 2::bigint, 'no second row');

-- Five at once, then one in twelve minutes. Ann has had two of them at 0 s and 30 s.
select tests.asks('ann@stanford.edu', make_interval(secs => 30 * n)) from generate_series(2, 4) as n;
select is((select round(allowance, 6) from identity.login_codes where email = 'ann@stanford.edu'), 0.166667, 'what grew in two minutes is left');
select tests.denied($$ select tests.asks('ann@stanford.edu', '150 s') $$, '429', 'login_codes_exhausted', 'the sixth is refused');
select is(tests.header('Retry-After'), '570', 'and told when to come back');
select tests.denied($$ select tests.asks('ann@stanford.edu', '719.999 s') $$, '429', 'login_codes_exhausted', 'a moment too early');
select is(tests.header('Retry-After'), '1', 'at least a second');
select is(tests.asks('ann@stanford.edu', '720 s') ->> 'askAgainAt', to_jsonb(tests.noon('750 s')) #>> '{}', 'exactly then it goes again');
select tests.denied($$ select tests.asks('ann@stanford.edu', '1439 s') $$, '429', 'login_codes_exhausted', 'once');
select is((tests.asks('bob@stanford.edu', '720 s')) ->> 'email', 'bob@stanford.edu', 'another address is not touched');

select is(tests.asks('ann@stanford.edu', '1000 h') ->> 'details', null, 'after a long rest');
select is((select allowance from identity.login_codes where email = 'ann@stanford.edu'), 4::numeric, 'there are five again, no more');

update identity.login_codes set allowance = 0, requested_at = tests.noon();
select is(tests.asks('ann@stanford.edu', '12 min') ->> 'details', null, 'an allowance of exactly one is enough');
select tests.denied($$ select tests.asks('bob@stanford.edu', '00:11:59.999999') $$, '429', 'login_codes_exhausted', 'by a moment less it is not');

-- Addresses that are none, or nobody's: raised, nothing is kept.
select tests.refused(format('select tests.asks(%L)', email), 'PT422', slug, coalesce(quote_literal(email), 'none'))
from (values
  (null, 'email_invalid'), ('ann', 'email_invalid'), (E'ann@stanford.edu\r\nBcc: x@y.org', 'email_invalid'),
  ('ann@elsewhere.org', 'email_domain_unknown')
) as bad (email, slug);
select is((select count(*) from identity.login_codes), 2::bigint, 'nothing is kept of them');

select * from finish();
rollback;
