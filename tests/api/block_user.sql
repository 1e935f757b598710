-- A wall: put up by one, felt by both, told to nobody.

begin;
select plan(22);

select is_definer('api', 'block_user', array['uuid'], 'members hold no right to write a table');
select volatility_is('api', 'block_user', array['uuid'], 'volatile', 'it writes');
select tests.may_call('api.block_user(uuid)', '{authenticated}');
select tests.may_call('app.block_user(text, uuid, uuid)', '{}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_member('mia', 'mit');

select tests.act_as('ann');
select is(api.block_user(tests.member('ben')), jsonb_build_object('userId', tests.member('ben'), 'blocked', true), 'Ann blocks Ben');
select results_eq('select * from tests.trail()', $$ values ('user.blocked', 'ann', null, jsonb_build_object('blockedId', tests.member('ben'))) $$, 'the trail has it');
select results_eq($$ select channel, event, payload ->> 'blocked' from tests.told() $$, $$ values ('user:ann', 'block', 'true') $$,
  'Ann''s other devices are told, and never Ben');
select tests.repeats('select api.block_user(tests.member(''ben''))', 'blocking twice gives the same answer and writes nothing');
select results_eq('select user_id, blocked_id from app.blocks', $$ values (tests.member('ann'), tests.member('ben')) $$, 'she can see it');
select tests.act_as('ben');
select is_empty('select from app.blocks', 'Ben can''t');
select is(api.block_user(tests.member('ann')) ->> 'blocked', 'true', 'and may block her, too');
select tests.act_as_nobody();
select is((select count(*) from app.blocks), 2::bigint, 'which is a block of its own');

-- The wrong people.
select tests.act_as('ann');
select tests.refused('select api.block_user(tests.member(''ann''))', 'PT422', 'block_oneself', 'nobody blocks themselves');
select tests.refused(format('select api.block_user(%L)', who), 'PT404', 'member_not_found', says)
from (values (gen_random_uuid(), 'nobody can be blocked'), (null, 'nor can nothing'), (tests.member('mia'), 'who is of another campus does not exist here')) as nobody (who, says);
select tests.act_as(null);
select tests.refused('select api.block_user(tests.member(''ben''))', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.block_user(tests.member(''mia''))', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('service_role');
select throws_ok('select api.block_user(tests.member(''ben''))', '42501', null, 'nobody blocks for a member');
select tests.act_as_nobody();
select tests.refused('select app.block_user(null, tests.member(''ann''), tests.member(''ben''))', 'PT403', 'no_campus', 'no campus, no member');
select throws_ok($$ select tests.blocked('ann', 'ann') $$, '23514', null, 'nor can a block of oneself be stored');
select throws_ok($$ select tests.blocked('ann', 'mia') $$, '23503', null, 'nor one across campuses');

select * from finish();
rollback;
