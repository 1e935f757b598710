-- Whoever has the refresh token goes on: no access token is needed.

begin;
select plan(8);

select is_definer('api', 'refresh_session', 'reaches what identity grants to its owner');
select volatility_is('api', 'refresh_session', array['text'], 'volatile', 'writes');
select tests.may_call('api.refresh_session(text)', array['anon', 'authenticated']);
select tests.create_member('ann');
create table tests.got as select tests.signed_in('ann@stanford.edu', clock_timestamp() - interval '1 min') as tokens;
grant select on tests.got to public;

select tests.act_as_role('anon');
select tests.denied('select api.refresh_session(null)', '401', 'session_over', 'nothing');
select is(api.refresh_session(tokens ->> 'refreshToken') ->> 'sessionId', tokens ->> 'sessionId', 'nobody refreshes') from tests.got;
select isnt(api.refresh_session(tokens ->> 'refreshToken') ->> 'accessToken', null, 'twice') from tests.got;
select tests.act_as_nobody();
select is(generation, 1, 'one step') from identity.sessions;
select cmp_ok(abs(extract(epoch from renewed_at - clock_timestamp())), '<', 5.0, 'in real time') from identity.sessions;

select * from finish();
rollback;
