-- Giving a member power, and taking it back: with a trace.

begin;
select plan(14);

select isnt_definer('app', 'set_tier', array['text', 'uuid', 'text'], 'for who administers the database');
select tests.may_call('app.set_tier(text, uuid, text)', '{}');
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);

select is(app.set_tier('stanford', tests.member('ann'), 'operator'), jsonb_build_object('userId', tests.member('ann'), 'tier', 'operator'), 'Ann becomes an operator');
select results_eq($$ select display_name, tier from app.users order by display_name $$, $$ values ('Ann', 'operator'), ('Ben', 'user') $$, 'and nobody else');
select results_eq($$ select action, member, details from tests.trail() $$, $$ values ('user.tier_set', 'ann', '{"old": "user", "new": "operator"}'::jsonb) $$, 'the trail has it');
select results_eq($$ select channel, event, payload ->> 'tier' from tests.told() $$, $$ values ('user:ann', 'profile', 'operator') $$, 'her devices hear of it');
select tests.repeats($$ select app.set_tier('stanford', tests.member('ann'), 'operator') $$, 'twice is once');
select throws_ok($$ select app.set_tier('stanford', tests.member('ann'), 'king') $$, '23514', null, 'there is no such tier');
select tests.refused($$ select app.set_tier('mit', tests.member('ann'), 'pro') $$, 'PT404', 'member_not_found', 'another campus has no such member');
select tests.refused($$ select app.set_tier(null, tests.member('ann'), 'pro') $$, 'PT403', 'no_campus', 'no campus, no member');
select app.set_tier('stanford', tests.member('ben'), 'operator');
select results_eq($$ select action, member, details from tests.trail() $$, $$ values ('user.tier_set', 'ben', '{"old": "user", "new": "operator"}'::jsonb) $$, 'Ben becomes one, too, from what he was');
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ben');
select tests.refused($$ select app.set_tier('stanford', tests.member('ben'), 'pro') $$, 'PT401', 'account_deleted', 'who is gone gets none');
select is(app.set_tier('stanford', tests.member('ann'), 'user') ->> 'tier', 'user', 'and back');
select results_eq($$ select action, member, details from tests.trail() $$, $$ values ('user.tier_set', 'ann', '{"old": "operator", "new": "user"}'::jsonb) $$, 'from what she was, and not from what others are');

select * from finish();
rollback;
