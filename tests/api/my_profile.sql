-- Oneself.

begin;
select plan(12);

select is_definer('api', 'my_profile', array[]::text[], 'members hold no right on the tables');
select volatility_is('api', 'my_profile', array[]::text[], 'stable', 'so GET and READ ONLY transactions will do');
select tests.may_call('api.my_profile()', '{authenticated}');

select tests.create_member('ann', p_tier => 'pro');
select tests.create_member('ben');
select tests.create_member('mia', 'mit');

select tests.act_as('ann');
select is(api.my_profile(), jsonb_build_object('userId', tests.member('ann'), 'campusId', 'stanford', 'timeZone', 'America/Los_Angeles',
  'displayName', 'Ann', 'tier', 'pro', 'suspendedUntil', null, 'attributes', '{}'::jsonb, 'circleMail', true, 'blocked', '[]'::jsonb), 'Ann sees herself, without her address');
select tests.repeats('select api.my_profile()', 'and it only reads');
select tests.act_as('mia');
select is(api.my_profile() ->> 'campusId', 'mit', 'Mia sees Mia');
select tests.act_as('ann', '{"tier": "operator"}');
select is(api.my_profile() ->> 'tier', 'pro', 'a claim never makes a tier');
select tests.act_as(null);
select tests.refused('select api.my_profile()', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as(null, '{"sub": "00000000-0000-4000-8000-000000000000"}');
select tests.refused('select api.my_profile()', 'PT403', 'no_campus', 'a member without a campus');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.my_profile()', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('anon');
select throws_ok('select api.my_profile()', '42501', null, 'a stranger has none');
select tests.act_as_role('service_role');
select throws_ok('select api.my_profile()', '42501', null, 'nor has a server');

select * from finish();
rollback;
