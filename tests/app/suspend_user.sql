-- A suspension keeps from joining, until its end to the microsecond, and from nothing else.

begin;
select plan(30);

select isnt_definer('app', 'suspend_user', array['text', 'uuid', 'timestamp with time zone', 'text'], 'called from definers only');
select tests.may_call('app.suspend_user(text, uuid, timestamptz, text)', '{}');

-- Given Ann on two lists and in a circle that is still to meet.
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_campus('mit');
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.in_circle(name, 'eleven') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.joined('ann', 'two');
select tests.clock('10:30');
select is_empty('select from tests.told()', 'given nothing to tell');
create function tests.suspends(p_until timestamptz, p_reason text default 'Unkind') returns jsonb
language sql as $$ select app.suspend_user('stanford', tests.member('ann'), p_until, p_reason) $$;

-- What is not allowed.
select tests.refused(format('select tests.suspends(%L, %L)', until, reason), 'PT422', 'suspension_invalid', what)
from (values
  ((clock_timestamp() - interval '1 s')::text, 'Unkind', 'an end that is past'), ('-infinity', 'Unkind', 'one that always was'), ('infinity', null, 'no reason'),
  ('infinity', '  ', 'a blank one'), ('infinity', repeat('x', 501), 'one of 501 characters'), (null, null, 'lifting without a reason')
) as cases (until, reason, what);
select tests.refused($$ select app.suspend_user(null, tests.member('ann'), 'infinity', 'x') $$, 'PT403', 'no_campus', 'no campus');
select tests.refused($$ select app.suspend_user('mit', tests.member('ann'), 'infinity', 'x') $$, 'PT404', 'member_not_found', 'another campus');
select tests.refused($$ select app.suspend_user('stanford', null, 'infinity', 'x') $$, 'PT404', 'member_not_found', 'nobody');
select is_empty('select from tests.told() union all select from tests.trail()', 'nothing of that was done');

-- What is.
select is(tests.suspends('infinity', ' ' || repeat('x', 500)) , jsonb_build_object('userId', tests.member('ann'), 'suspendedUntil', 'infinity'), 'until an operator lifts it, for a reason of 500 characters');
select results_eq($$ select channel, event, coalesce(payload ->> 'buttonState', payload ->> 'suspendedUntil') from tests.told() $$, $$ values
  ('user:ann', 'button', 'past'), ('user:ben', 'circle', null), ('user:cas', 'circle', null), ('user:ann', 'button', 'join'), ('user:ann', 'profile', 'infinity') $$,
  'she leaves circle and list; all concerned are told, in this order');
select results_eq('select action, member, slot, details ->> ''until'', details ->> ''reason'' from tests.trail()', $$ values
  ('circle.left', 'ann', 'eleven', null, null), ('circle.below_minimum', null, 'eleven', null, null), ('waitlist.left', 'ann', 'two', null, null), ('user.suspended', 'ann', null, 'infinity', repeat('x', 500)) $$, 'the trail has it');
select results_eq('select user_id from app.user_campuses where suspended_until is not null', $$ values (tests.member('ann')) $$, 'she alone is suspended');
select tests.repeats($$ select tests.suspends('infinity', 'x') $$, 'twice is once');
select tests.refused($$ select app.join_waitlist('stanford', tests.member('ann'), tests.slot('five')) $$, 'PT403', 'suspended', 'she joins nothing');
select is(app.leave_waitlist('stanford', tests.member('ann'), tests.slot('five')) ->> 'buttonState', 'join', 'leaving is no joining');
select is(app.update_profile('stanford', tests.member('ann'), 'Annie', null) ->> 'displayName', 'Annie', 'the rest goes on');
select is(app.block_user('stanford', tests.member('ann'), tests.member('ben')) ->> 'blocked', 'true', 'she may block still');

-- Lifted.
select is(tests.suspends(null, 'A mistake'), jsonb_build_object('userId', tests.member('ann'), 'suspendedUntil', null), 'lifted');
select results_eq('select action, details from tests.trail() where action like ''user.%'' and action <> ''user.blocked''', $$ values ('user.readmitted', '{"until": null, "reason": "A mistake"}'::jsonb) $$, 'in the trail');
select is(app.join_waitlist('stanford', tests.member('ann'), tests.slot('five')) ->> 'buttonState', 'leave', 'she joins again');
select tests.repeats($$ select tests.suspends(null, 'A mistake') $$, 'lifting twice is lifting once');

-- The end, in real time: what is over by itself keeps nobody out.
select is(app.leave_waitlist('stanford', tests.member('ann'), tests.slot('five')) ->> 'buttonState', 'join', 'given she left');
update app.user_campuses set suspended_until = clock_timestamp() where user_id = tests.member('ann');
select is(app.join_waitlist('stanford', tests.member('ann'), tests.slot('five')) ->> 'buttonState', 'leave', 'from its end on she joins, though the app''s day is another');
select is(app.profile('stanford', tests.member('ann')) ->> 'suspendedUntil', null, 'and is told of no suspension');
update app.user_campuses set suspended_until = clock_timestamp() + interval '1 minute' where user_id = tests.member('ann');
select tests.refused($$ select app.join_waitlist('stanford', tests.member('ann'), tests.slot('two')) $$, 'PT403', 'suspended', 'before it she does not');

select * from finish();
rollback;
