-- Mails in hand: each for a minute, with a code made at that moment; none while the mail server is left alone.

begin;
select plan(43);

select tests.may_call('identity.take_mails(integer, timestamptz)', array['circle27_worker']);
select is_definer('identity', 'take_mails', 'the worker has no right on the tables');

select tests.create_campus();
select identity.request_login_code(name || '@stanford.edu', tests.noon(later))
from (values ('ann', interval '0'), ('bob', interval '1 s'), ('cyd', interval '2 s')) as people (name, later);
create table tests.taken (at interval, mail_id bigint, attempt integer, kind text, recipient text, facts jsonb);
grant all on tests.taken to public;

set local role circle27_worker;
select is_empty($$ select from identity.take_mails(10, tests.noon('-1 us')) $$, 'nothing before its time');
insert into tests.taken select '2 s', * from identity.take_mails(2, tests.noon('2 s'));
select results_eq(
  $$ select recipient, attempt, kind from tests.taken order by recipient $$,
  $$ values ('ann@stanford.edu', 1, 'login_code'), ('bob@stanford.edu', 1, 'login_code') $$, 'as many as asked for, the oldest first'
);
select is(facts - 'code', '{"campusId": "stanford", "livesMinutes": 10}', 'with what the text needs') from tests.taken limit 1;
select matches(facts ->> 'code', '^[0-9]{6}$', 'and a code of six digits') from tests.taken limit 1;
insert into tests.taken select '3 s', * from identity.take_mails(10, tests.noon('3 s'));
select is(string_agg(recipient, ' '), 'cyd@stanford.edu', 'what is in hand is not taken again') from tests.taken where at = '3 s';
reset role;

-- The code: only its hash is kept, and its life begins now.
select results_eq(
  $$ select code_hash, code_expires_at, tries_left, used_at from identity.login_codes where email = 'ann@stanford.edu' $$,
  $$ select identity.secret_hash('code:ann@stanford.edu:' || (facts ->> 'code')), tests.noon('602 s'), 5, null::timestamptz
    from tests.taken where recipient = 'ann@stanford.edu' $$,
  'the table has its hash, ten minutes and five tries'
);
select is(
  (select count(*) from identity.mails, tests.taken where mails.facts::text like '%' || (taken.facts ->> 'code') || '%'), 0::bigint,
  'no mail that waits holds a code'
);
select is((select count(distinct facts ->> 'code') from tests.taken) > 1, true, 'codes differ');

-- The lease.
select is_empty($$ select from identity.take_mails(10, tests.noon('61.999999 s')) $$, 'for a minute they are in hand');
insert into tests.taken select '62 s', * from identity.take_mails(10, tests.noon('62 s'));
select results_eq(
  $$ select recipient, attempt from tests.taken where at = '62 s' order by 1 $$,
  $$ values ('ann@stanford.edu', 2), ('bob@stanford.edu', 2) $$, 'then somebody else takes them'
);
select tests.denied(
  format('select identity.verify_login_code(%L, %L, tests.noon(%L))', 'ann@stanford.edu', facts ->> 'code', '63 s'),
  '422', 'login_code_wrong', 'the code of the first attempt counts no more'
) from tests.taken where recipient = 'ann@stanford.edu' and at = '2 s'
  and facts ->> 'code' <> (select facts ->> 'code' from tests.taken where recipient = 'ann@stanford.edu' and at = '62 s');
select identity.add_key('tests', convert_to(repeat('k', 64), 'UTF8'));
select isnt(
  identity.verify_login_code(recipient, facts ->> 'code', tests.noon('63 s')) ->> 'accessToken', null, 'that of the second does'
) from tests.taken where recipient = 'ann@stanford.edu' and at = '62 s';
select identity.mail_sent(mail_id, attempt) from tests.taken;
select is((select count(*) from identity.mails), 0::bigint, 'sent is gone');

-- How long a mail is of use.
select is(identity.request_login_code('dan@stanford.edu', tests.noon()) ->> 'details', null, 'Dan asks');
select isnt_empty($$ select from identity.take_mails(10, tests.noon('23:58:59.999999')) $$, 'a day later by a moment less he is sent one');
select is_empty($$ select from identity.take_mails(10, tests.noon('24 h')) $$, 'in the hands of somebody who never comes back');
update identity.mails set next_try_at = tests.noon('24 h');
select is_empty($$ select from identity.take_mails(10, tests.noon('24 h')) $$, 'after a day it is of no use');
select is((select count(*) from identity.mails), 0::bigint, 'and forgotten');
select is((select string_agg(action, ' ') from tests.trail() where action like 'mail%'), 'mail.expired', 'which the trail knows');

-- Settings.
update identity.settings set code_life = interval '90 seconds', code_tries = 2;
select identity.request_login_code('eve@stanford.edu', tests.noon());
select is((select facts ->> 'livesMinutes' from identity.take_mails(1, tests.noon())), '2', 'its text rounds minutes up');
select results_eq(
  $$ select code_expires_at, tries_left from identity.login_codes where email = 'eve@stanford.edu' $$,
  $$ values (tests.noon('90 s'), 2) $$, 'life and tries are settings'
);

-- The circuit breaker.
delete from identity.mails;
delete from identity.login_codes;
select identity.request_login_code(name || '@stanford.edu', tests.noon()) from unnest(array['ann', 'bob', 'cyd']) as people (name);
update identity.mail_server set failures = 5, open_until = tests.noon('10 s');
select is_empty($$ select from identity.take_mails(10, tests.noon('9.999999 s')) $$, 'while the server is left alone: none');
select results_eq($$ select count(*) from identity.take_mails(10, tests.noon('10 s')) $$, array[1::bigint], 'then one, to try it');
select is_empty($$ select from identity.take_mails(10, tests.noon('69.999999 s')) $$, 'not one for each who asks');
select is((select sum(attempts) from identity.mails), 1::bigint, 'and no other was taken for that');
savepoint tried;
select results_eq($$ select count(*) from identity.take_mails(10, tests.noon('70 s')) $$, array[1::bigint], 'who tries and dies is given up after a minute');
rollback to tried;
select identity.mail_failed(mail_id, 1, true, 'no such mailbox', tests.noon('11 s')) from identity.mails where attempts = 1;
select results_eq($$ select count(*) from identity.take_mails(10, tests.noon('11 s')) $$, array[1::bigint], 'a trial that was refused for the mail''s own sake told nothing: another');
rollback to tried;
select identity.mail_failed(mail_id, 1, false, 'x', tests.noon('11 s')) from identity.mails where attempts = 1;
select is_empty($$ select from identity.take_mails(10, tests.noon('30.999999 s')) $$, 'a trial that failed: left alone again');
select results_eq($$ select count(*) from identity.take_mails(10, tests.noon('31 s')) $$, array[1::bigint], 'and then the next trial');
rollback to tried;
select identity.mail_sent(mail_id, 1) from identity.mails where attempts = 1;
select results_eq($$ select count(*) from identity.take_mails(10, tests.noon('11 s')) $$, array[2::bigint], 'a trial that went through: the rest');
select is((select trial_until from identity.mail_server), null, 'and none is tried any more');
rollback to tried;
update identity.mail_server set failures = 0, open_until = null;
select results_eq($$ select count(*) from identity.take_mails(10, tests.noon('10 s')) $$, array[2::bigint], 'the rest when it is well');

-- Another kind of mail has no code.
insert into identity.mails (kind, recipient, facts, created_at, expires_at, next_try_at)
values ('notice', 'ann@stanford.edu', '{"x": 1}', tests.noon(), tests.noon('24 h'), tests.noon());
select results_eq(
  $$ select kind, facts from identity.take_mails(10, tests.noon('11 s')) $$, $$ values ('notice', '{"x": 1}'::jsonb) $$,
  'a mail of another kind is what it is'
);

select tests.refused(format('select identity.take_mails(%s)', n), 'PT422', 'limit_invalid', 'not ' || n)
from unnest(array['null', '0', '-1', '10001']) as bad (n);
select lives_ok($$ select identity.take_mails(10000, tests.noon()) $$, 'up to 10000');

-- What can't be a header can't be stored.
select throws_ok(
  format('insert into identity.mails (kind, recipient, created_at, expires_at, next_try_at) values (%L, %L, now(), now(), now())', 'notice', recipient),
  '23514', null, quote_literal(recipient)
)
from unnest(array[E'ann@stanford.edu\r\nBcc: x@y.org', 'ann <ann@stanford.edu>', 'ann']) as bad (recipient);

select * from finish();
rollback;
