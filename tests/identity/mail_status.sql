-- How the mail goes, for the monitor: no address, no code.

begin;
select plan(9);

select tests.may_call('identity.mail_status(timestamptz)', array['circle27_monitor']);
select table_privs_are('identity', 'mails', 'circle27_monitor', array[]::text[], 'the monitor reads no mail');
select tests.create_campus();

set local role circle27_monitor;
select is(
  identity.mail_status(tests.noon()),
  '{"breaker": "closed", "openUntil": null, "failures": 0, "failedAt": null, "error": null, "waiting": 0, "oldestAt": null}', 'all is well'
);
reset role;
select identity.request_login_code(name || '@stanford.edu', tests.noon(later))
from (values ('ann', interval '3 s'), ('bob', interval '1 s')) as people (name, later);
select is((s ->> 'waiting')::int, 2, 'two wait') from identity.mail_status(tests.noon('5 s')) as s;
select is((s ->> 'oldestAt')::timestamptz, tests.noon('1 s'), 'since the older one')
from identity.mail_status(tests.noon('5 s')) as s;
update identity.mail_server set failures = 5, open_until = tests.noon('10 s'), error = 'x';
select is(identity.mail_status(tests.noon('9.999999 s')) ->> 'breaker', 'open', 'left alone');
select is(identity.mail_status(tests.noon('10 s')) ->> 'breaker', 'trying', 'tried again');
select is(identity.mail_status(tests.noon('10 s')) ->> 'error', 'x', 'what it said');
select is(strpos(identity.mail_status(tests.noon())::text, '@'), 0, 'no address');

select * from finish();
rollback;
