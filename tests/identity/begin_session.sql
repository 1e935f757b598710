-- A session begins: whose, from where, until when.

begin;
select plan(6);

select tests.may_call('identity.begin_session(text, uuid, timestamptz)', array[]::text[]);
select tests.create_member('ann');
select set_config('request.headers', jsonb_build_object('user-agent', repeat('ö', 300), 'x-real-ip', repeat('1', 99))::text, true);
create table tests.made as select identity.begin_session('stanford', tests.member('ann'), tests.noon()) as session_id;
select results_eq(
  $$ select session_id, campus_id, user_id, generation, created_at, expires_at, user_agent, address from identity.sessions $$,
  $$ select session_id, 'stanford', tests.member('ann'), 0, tests.noon(), tests.noon('720 h'), repeat('ö', 200), repeat('1', 64) from tests.made $$,
  'it is the member''s, for 720 hours; what the client says of itself is cut'
);
select set_config('request.headers', '', true);
select isnt(identity.begin_session('stanford', tests.member('ann'), tests.noon()), session_id, 'a second one is another') from tests.made;
select is((select count(*) from identity.sessions where user_agent is null and address is null), 1::bigint, 'outside of a request nobody knows from where');
select is((select count(*) from tests.trail() where action = 'session.begun' and member = 'ann'), 2::bigint, 'both are in the trail');
update identity.settings set session_idle_life = '1 h', session_life = '1 h';
select identity.begin_session('stanford', tests.member('ann'), tests.noon('1 s'));
select is((select expires_at from identity.sessions where created_at = tests.noon('1 s')), tests.noon('3601 s'), 'its life is a setting');

select * from finish();
rollback;
