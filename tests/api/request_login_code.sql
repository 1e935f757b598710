-- Anybody who can call may ask for a code.

begin;
select plan(9);

select is_definer('api', 'request_login_code', 'reaches what identity grants to its owner');
select volatility_is('api', 'request_login_code', array['text'], 'volatile', 'writes');
select tests.may_call('api.request_login_code(text)', array['anon', 'authenticated']);
select tests.create_member('ann');

select tests.act_as_role('anon');
select is(api.request_login_code('ann@stanford.edu') ->> 'email', 'ann@stanford.edu', 'nobody asks for a code');
select is(
  api.request_login_code('bob@stanford.edu') - array['email', 'askAgainAt'], api.request_login_code('ann@stanford.edu') - array['email', 'askAgainAt'],
  'and learns nothing about members'
);
select tests.refused('select api.request_login_code(null)', 'PT422', 'email_invalid', 'no address');
select tests.act_as('ann');
select is(api.request_login_code('ann@stanford.edu') ->> 'email', 'ann@stanford.edu', 'who is signed in may ask, too');
select tests.act_as_nobody();
select cmp_ok(abs(extract(epoch from requested_at - clock_timestamp())), '<', 5.0, 'in real time') from identity.login_codes where email = 'ann@stanford.edu';
select tests.act_as_role('service_role');
select throws_ok($$ select api.request_login_code('ann@stanford.edu') $$, '42501', null, 'a trusted server has no address');

select * from finish();
rollback;
