-- The button of one slot: by the member's own entry, circle and feedback, and nobody else's.

begin;
select plan(7);

select isnt_definer('app', 'button', array['text', 'uuid', 'timestamp with time zone', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.button(text, uuid, timestamptz, timestamptz)', '{}');

select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select tests.gave_feedback('ben', 'two');
create function tests.says(p_name text) returns text language sql as $$
  select app.button('stanford', tests.member(p_name), tests.slot('two'), tests.slot('two') + interval '1 hour') ->> 'buttonState'
$$;

select is(tests.says('ann'), 'feedback', 'what Ben said is not what Ann said');
select is(tests.says('ben'), 'past', 'Ben has said it');
select is(tests.says('cas'), 'past', 'Cas was in no circle');
select is(app.button('mit', tests.member('ann'), tests.slot('two'), now())::jsonb, null, 'another campus has no such slot');
select tests.refused($$ select app.button(null, tests.member('ann'), tests.slot('two'), now()) $$, 'PT403', 'no_campus', 'without a campus there is none');

select * from finish();
rollback;
