-- Where a member is signed in.

begin;
select plan(9);

select tests.may_call('identity.member_sessions(uuid, uuid, timestamptz)', array[]::text[]);
select tests.create_member(name) from unnest(array['ann', 'bob']) as people (name);
select set_config('request.headers', '{"user-agent": "Firefox", "x-real-ip": "10.0.0.1"}', true);
create table tests.made as
select row_number() over () as n, identity.begin_session('stanford', tests.member(name), tests.noon(at)) as session_id
from (values ('ann', interval '0'), ('ann', '1 h'), ('bob', '0')) as people (name, at);

create function tests.listed(p_n integer, p_later interval)
returns jsonb
language sql
as $$ select identity.member_sessions(tests.member('ann'), (select session_id from tests.made where n = p_n), tests.noon(p_later)) $$;

select is(tests.listed(1, '2 h') -> 1, jsonb_build_object('sessionId', session_id, 'current', true, 'signedInAt', tests.noon(),
  'renewedAt', tests.noon(), 'userAgent', 'Firefox', 'address', '10.0.0.1'), 'what it says') from tests.made where n = 1;
select is(jsonb_array_length(tests.listed(1, '2 h')), 2, 'her own only');
select is(tests.listed(1, '2 h') -> 0 ->> 'current', 'false', 'the newest first; the other is not the one that asks');
select is(tests.listed(null, '2 h') -> 0 ->> 'current', 'false', 'a token without session is none of them');
select is(jsonb_array_length(tests.listed(1, '720 h')), 1, 'not what has run out');
select identity.end_session(session_id, 'session.ended', tests.noon('2 h')) from tests.made where n = 2;
select is(jsonb_array_length(tests.listed(1, '2 h')), 1, 'nor what was ended');
select is(tests.listed(1, '9000 h'), '[]', 'an empty list is one');
select is(jsonb_array_length(identity.member_sessions(tests.member('ann'), null, null)), 2, 'at no time: all that are remembered, those that are over, too');

select * from finish();
rollback;
