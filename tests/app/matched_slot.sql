-- A slot that was matched, with what the matching kept; what can't be looked at again is refused.

begin;
select plan(10);

select isnt_definer('app', 'matched_slot', array['text', 'timestamp with time zone'], 'called from definers only');
select volatility_is('app', 'matched_slot', array['text', 'timestamp with time zone'], 'stable', 'it can write nothing');
select tests.may_call('app.matched_slot(text, timestamptz)', '{}');

-- Given two o'clock, matched; six, still to come; seven in the morning of an invented past; and MIT's own four.
select tests.create_slot(name, at) from (values ('old', time '07:00'), ('two', '14:00'), ('six', '18:00')) as slots (name, at);
select tests.create_member('ann');
select tests.in_circle('ann', 'old');
select tests.create_slot('four', '16:00', 'mit');
select tests.clock('13:00');
select app.match_time_slot('stanford', tests.slot('two'), 1);

select results_eq(
  $$ select slots.* from app.matched_slot('stanford', tests.slot('two')) as slots $$,
  $$ select slots.* from app.time_slots as slots where slots.campus_id = 'stanford' and slots.time_slot = tests.slot('two') $$,
  'the slot as it stands'
);
select tests.refused($$ select app.matched_slot('stanford', tests.slot('six')) $$, 'PT409', 'not_matched_yet', 'one to come');
select tests.refused($$ select app.matched_slot('stanford', tests.slot('old')) $$, 'PT409', 'inputs_not_kept', 'a past that was invented');
select tests.refused($$ select app.matched_slot('stanford', tests.slot('four')) $$, 'PT404', 'slot_not_found', 'the slot of another campus');
select tests.refused($$ select app.matched_slot('mit', tests.slot('two')) $$, 'PT404', 'slot_not_found', 'or ours, asked for another');
select tests.refused($$ select app.matched_slot(null, tests.slot('two')) $$, 'PT403', 'no_campus', 'nothing of no campus');

update app.time_slots set cancelled_at = deadline_at where time_slot = tests.slot('two');
select isnt((app.matched_slot('stanford', tests.slot('two'))).cancelled_at, null, 'it may have been called off since');

select * from finish();
rollback;
