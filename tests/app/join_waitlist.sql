-- Joining again after the deadline: who is on the list is answered, who has left it is refused.

begin;
select plan(5);

select isnt_definer('app', 'join_waitlist', array['text', 'uuid', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.join_waitlist(text, uuid, timestamptz)', '{}');

select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.joined('ann', 'two');
select tests.joined('ben', 'two', true);
select tests.clock('13:00');

select is(app.join_waitlist('stanford', tests.member('ann'), tests.slot('two')) ->> 'buttonState', 'past', 'Ann, who is on it, sees her button');
select tests.refused($$ select app.join_waitlist('stanford', tests.member('ben'), tests.slot('two')) $$, 'PT409', 'deadline_passed', 'Ben, who left it, is too late');
select tests.refused($$ select app.join_waitlist('stanford', tests.member('cas'), tests.slot('two')) $$, 'PT409', 'deadline_passed', 'so is Cas, who never joined');

select * from finish();
rollback;
