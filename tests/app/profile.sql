-- A member as they see themselves: with whom they block, without any address.

begin;
select plan(10);

select isnt_definer('app', 'profile', array['text', 'uuid'], 'called from definers only');
select volatility_is('app', 'profile', array['text', 'uuid'], 'stable', 'it only reads');
select tests.may_call('app.profile(text, uuid)', '{}');

select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select tests.blocked('ann', 'cas');
select tests.blocked('ann', 'ben');
select tests.blocked('cas', 'ann');
update app.users set attributes = '{"year": 2}' where user_id = tests.member('ann');

select is(app.profile('stanford', tests.member('ann')), jsonb_build_object('userId', tests.member('ann'), 'campusId', 'stanford',
  'timeZone', 'America/Los_Angeles', 'displayName', 'Ann', 'tier', 'user', 'suspendedUntil', null, 'attributes', '{"year": 2}'::jsonb, 'circleMail', true,
  'blocked', jsonb_build_array(jsonb_build_object('userId', tests.member('cas'), 'displayName', null), jsonb_build_object('userId', tests.member('ben'), 'displayName', 'Ben'))),
  'all of it, and whom they block since when; by name only who was in a circle with them');
update app.user_campuses set suspended_until = 'infinity' where user_id = tests.member('ben');
select is(app.profile('stanford', tests.member('ben')) ->> 'suspendedUntil', 'infinity', 'who is suspended is told until when');
select is(app.profile('stanford', tests.member('ann')) ->> 'suspendedUntil', null, 'who is not sees none of another''s suspension');
-- Dan blocks Ann and Ben, who met each other and never Dan.
select tests.blocked('dan', name) from unnest('{ann,ben}'::text[]) as names (name);
select is(jsonb_path_query_array(app.profile('stanford', tests.member('dan')), '$.blocked[*].displayName'), '[null, null]', 'a block tells no name: meeting others does not make them known');
select is(app.profile('stanford', tests.member('ben')) -> 'blocked', '[]', 'who is blocked is not told by whom');
select is(app.profile('mit', tests.member('ann')), null, 'of another campus there is none');
select is(app.profile('stanford', null), null, 'nor of nobody');

select * from finish();
rollback;
