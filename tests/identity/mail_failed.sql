-- Failed: the mail rests, ever longer; five failures in a row open the breaker.

begin;
select plan(27);

select tests.may_call('identity.mail_failed(bigint, integer, boolean, text, timestamptz, boolean)', array['circle27_worker']);
select tests.create_campus();
select identity.request_login_code('ann@stanford.edu', tests.noon());

-- So many attempts were made before; this one fails at noon.
create function tests.fails(p_attempt integer)
returns interval
language sql
as $$
  update identity.mail_server set failures = 0, open_until = null;
  update identity.mails set attempts = p_attempt;
  select identity.mail_failed(mail_id, p_attempt, false, 'x', tests.noon()) from identity.mails;
  select next_try_at - tests.noon() from identity.mails
$$;
select is(tests.fails(attempt), rest, format('after attempt %s it rests %s', attempt, rest))
from (values (1, interval '2 s'), (2, '4 s'), (8, '256 s'), (9, '300 s'), (1000000, '300 s')) as rests (attempt, rest);

-- A stale attempt.
update identity.mails set attempts = 3, next_try_at = tests.noon('1 min');
select identity.mail_failed(mail_id, 2, false, 'x', tests.noon()) from identity.mails;
select is((select next_try_at from identity.mails), tests.noon('1 min'), 'who was given up moves nothing');
select identity.mail_failed(mail_id, 2, true, 'x', tests.noon()) from identity.mails;
select is((select count(*) from identity.mails), 1::bigint, 'nor throws it away');
select is((select count(*) from tests.trail() where action = 'mail.refused'), 0::bigint, 'and the trail says nothing');

-- The breaker: each failure comes when the pause of the one before is over.
update identity.mail_server set failures = 0, open_until = null, error = null;
create function tests.breaks(p_at interval)
returns interval
language sql
as $$
  select identity.mail_failed(mail_id, attempts, false, repeat('e', 300), tests.noon(p_at)) from identity.mails;
  select open_until - tests.noon(p_at) from identity.mail_server
$$;
select is(tests.breaks(make_interval(secs => n)), null, format('failure %s: not yet', n)) from generate_series(1, 4) as n;
select is(tests.breaks('5 s'), '10 s', 'the fifth opens the breaker for 10 s');
select is(tests.breaks('6 s'), '9 s', 'what was under way then changes nothing');
select is(tests.breaks('14.999999 s'), '0.000001 s', 'to the last moment');
select is((select failures from identity.mail_server), 5, 'and is not counted');
select is(tests.breaks('15 s'), '20 s', 'the trial fails: 20 s');
select is(tests.breaks('35 s'), '40 s', '40 s');
update identity.mail_server set failures = 100000;
select is(tests.breaks('10 min'), '300 s', 'never more than 5 minutes');
select results_eq($$ select failed_at, error from identity.mail_server $$, $$ values (tests.noon('10 min'), repeat('e', 200)) $$, 'what it said, cut');
select lives_ok($$ select identity.mail_failed(mail_id, attempts, null, null, tests.noon('1 h')) from identity.mails $$, 'nothing said');

-- Refused for now, and no fault of the server.
update identity.mail_server set failures = 4, open_until = null, error = null;
select identity.mail_failed(mail_id, attempts, false, 'busy', tests.noon(), false) from identity.mails;
select results_eq('select failures, open_until, error from identity.mail_server', $$ values (4, null::timestamptz, null) $$, 'a mailbox that is full says nothing of the server');
select cmp_ok((select next_try_at from identity.mails), '>', tests.noon(), 'but its mail rests');

-- Refused for ever.
update identity.mail_server set failures = 0, open_until = null;
select identity.mail_failed(mail_id, attempts, true, 'no such mailbox', tests.noon('2 h')) from identity.mails;
select is((select count(*) from identity.mails), 0::bigint, 'a mail that will never be taken is forgotten');
select is((select failures from identity.mail_server), 0, 'and nothing is wrong with the server');
select results_eq($$ select action, details ? 'mailId' from tests.trail() where action like 'mail%' $$, $$ values ('mail.refused', true) $$, 'which the trail knows');

select * from finish();
rollback;
