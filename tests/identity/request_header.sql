-- A header of the request, cut.

begin;
select plan(6);

select tests.may_call('identity.request_header(text, integer)', array[]::text[]);
select is(identity.request_header('user-agent', 9), null, 'outside of a request there is none');
select set_config('request.headers', '', true);
select is(identity.request_header('user-agent', 9), null, 'nor on a pooled connection that had one');
select set_config('request.headers', '{"user-agent": "äbcdefghijk"}', true);
select is(identity.request_header('user-agent', 3), 'äbc', 'cut to so many characters');
select is(identity.request_header('user-agent', 99), 'äbcdefghijk', 'or whole');
select is(identity.request_header('x-real-ip', 9), null, 'one that was not sent');

select * from finish();
rollback;
