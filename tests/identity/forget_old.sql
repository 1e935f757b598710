-- What can't matter any more is forgotten, and nothing else.

begin;
select plan(10);

select tests.may_call('identity.forget_old(timestamptz)', array['circle27_worker']);
select is_definer('identity', 'forget_old', 'the worker has no right on the tables');
select tests.create_member('ann');

-- Requests for codes.
select tests.login_code('ann@stanford.edu');
select is(identity.forget_old(tests.noon('24 h')), 0, 'a request is kept for a day');
select is(identity.forget_old(tests.noon('24:00:00.000001')), 1, 'and then forgotten');
select identity.request_login_code('ann@stanford.edu', tests.noon());
select is(identity.forget_old(tests.noon('48 h')), 0, 'not while its mail waits');

-- Sessions.
create table tests.made as
select n, identity.begin_session('stanford', tests.member('ann'), tests.noon()) as session_id from generate_series(1, 2) as n;
select identity.end_session(session_id, 'session.ended', tests.noon()) from tests.made where n = 2;
delete from identity.mails;
delete from identity.login_codes;
select is(identity.forget_old(tests.noon('744 h')), 0, 'a session is kept for a day after it ran out');
select is(identity.forget_old(tests.noon('744:00:00.000001')), 1, 'and then forgotten');
select is((select array_agg(n) from tests.made inner join identity.sessions using (session_id)), array[2], 'but not that it was ended');
select is(identity.forget_old(tests.noon('8808 h')), 0, 'for as long as any token of it may live');
select is(identity.forget_old(tests.noon('8808:00:00.000001')), 1, 'a year and a day');

select * from finish();
rollback;
