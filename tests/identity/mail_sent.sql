-- Sent: the mail is gone, and the breaker closes.

begin;
select plan(8);

select tests.may_call('identity.mail_sent(bigint, integer)', array['circle27_worker']);
select tests.create_campus();
select identity.request_login_code('ann@stanford.edu', tests.noon());
create table tests.taken as select * from identity.take_mails(1, tests.noon());
insert into tests.taken select * from identity.take_mails(1, tests.noon('1 min'));
update identity.mail_server set failures = 7, open_until = tests.noon(), error = 'x', failed_at = tests.noon();

select lives_ok($$ select identity.mail_sent(mail_id, 1) from tests.taken where attempt = 1 $$, 'who was given up comes back');
select is((select attempts from identity.mails), 2, 'the mail is in other hands now, and stays');
select results_eq($$ select failures, open_until, error from identity.mail_server $$, $$ values (0, null::timestamptz, 'x') $$, 'but the server works');
select tests.repeats($$ select identity.mail_sent(mail_id, 1) from tests.taken where attempt = 1 $$, 'saying it again changes nothing');
select lives_ok($$ select identity.mail_sent(mail_id, 2) from tests.taken where attempt = 2 $$, 'whose hands it is in');
select is((select count(*) from identity.mails), 0::bigint, 'takes it away');
select lives_ok($$ select identity.mail_sent(null, null) $$, 'nothing is sent');

select * from finish();
rollback;
