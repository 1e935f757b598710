-- A wall is taken down by the one who put it up.

begin;
select plan(18);

select is_definer('api', 'unblock_user', array['uuid'], 'members hold no right to write a table');
select volatility_is('api', 'unblock_user', array['uuid'], 'volatile', 'it writes');
select tests.may_call('api.unblock_user(uuid)', '{authenticated}');
select tests.may_call('app.unblock_user(text, uuid, uuid)', '{}');

-- Given Ann and Ben, who block each other, and Cas, whom Ann blocks.
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.blocked('ann', 'ben');
select tests.blocked('ben', 'ann');
select tests.blocked('ann', 'cas');

select tests.act_as('ann');
select is(api.unblock_user(tests.member('ben')), jsonb_build_object('userId', tests.member('ben'), 'blocked', false), 'Ann takes her block of Ben back');
select results_eq('select * from tests.trail()', $$ values ('user.unblocked', 'ann', null, jsonb_build_object('blockedId', tests.member('ben'))) $$, 'the trail has it');
select results_eq($$ select channel, event, payload ->> 'blocked' from tests.told() $$, $$ values ('user:ann', 'block', 'false') $$,
  'her other devices are told, and nobody else');
select tests.repeats('select api.unblock_user(tests.member(''ben''))', 'twice gives the same answer and writes nothing');
select results_eq('select blocked_id from app.blocks', $$ values (tests.member('cas')) $$, 'her other block stays');
select tests.act_as_nobody();
select isnt_empty($$ select from app.blocks where user_id = tests.member('ben') and blocked_id = tests.member('ann') $$, 'and so does Ben''s: the wall still stands');

-- The wrong people.
select tests.act_as('cas');
select tests.repeats('select api.unblock_user(tests.member(''ann''))', 'Cas can''t take Ann''s block of Cas back');
select tests.repeats(format('select api.unblock_user(%L)', gen_random_uuid()), 'nor learns whether there is such a member');
select is(api.unblock_user(null) -> 'blocked', 'false', 'nothing is not blocked');
select tests.act_as_nobody();
select is((select count(*) from app.blocks), 2::bigint, 'all that left both blocks in place');
select tests.act_as(null);
select tests.refused('select api.unblock_user(tests.member(''ben''))', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.unblock_user(tests.member(''cas''))', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('anon');
select throws_ok('select api.unblock_user(tests.member(''ben''))', '42501', null, 'a stranger may not call it');
select tests.act_as_nobody();
select tests.refused('select app.unblock_user(null, tests.member(''ann''), tests.member(''cas''))', 'PT403', 'no_campus', 'no campus, no member');

select * from finish();
rollback;
