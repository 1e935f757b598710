-- A day's slots as one member sees them: by their own entries, circles and feedback, and nobody else's.

begin;
select plan(8);

select isnt_definer('app', 'day_states', array['text', 'uuid', 'text', 'date', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.day_states(text, uuid, text, date, timestamptz)', '{}');

-- Given Ann and Ben in a circle at eleven, of whom Ben has given feedback; Ben alone on the list of two.
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'eleven') from unnest('{ann,ben}'::text[]) as names (name);
select tests.gave_feedback('ben', 'eleven');
select tests.joined('ben', 'two');
create function tests.says(p_name text, p_at timestamptz) returns text language sql as $$
  select string_agg(slots.state ->> 'buttonState', ' ' order by slots.state ->> 'timeSlot')
  from jsonb_array_elements(app.day_states('stanford', tests.member(p_name), 'America/Los_Angeles', tests.day(), p_at)::jsonb) as slots (state)
$$;

select is(tests.says('ann', tests.slot('eleven')), 'confirmed join', 'during the meeting Ann is in it');
select is(tests.says('cas', tests.slot('eleven')), 'past join', 'and Cas is not');
select is(tests.says('ann', tests.slot('eleven') + interval '1 hour'), 'feedback join', 'what Ben said is not what Ann said');
select is(tests.says('ben', tests.slot('eleven') + interval '1 hour'), 'past leave', 'Ben has said it, and is on the next list');
select is(tests.says('cas', tests.slot('eleven') + interval '1 hour'), 'past join', 'Cas has nothing to say');
select tests.refused($$ select app.day_states(null, tests.member('ann'), 'UTC', tests.day(), now()) $$, 'PT403', 'no_campus', 'without a campus there is no day');

select * from finish();
rollback;
