-- A slot as it is now, unless it was called off.

begin;
select plan(9);

select isnt_definer('app', 'standing_slot', array['text', 'timestamp with time zone'], 'called from definers only');
select volatility_is('app', 'standing_slot', array['text', 'timestamp with time zone'], 'stable', 'it can write nothing');
select tests.may_call('app.standing_slot(text, timestamptz)', '{}');

-- Given two o'clock; four, which was called off; and MIT's own six.
select tests.create_slot('two', '14:00');
select tests.create_slot('four', '16:00');
select tests.create_slot('six', '18:00', 'mit');
update app.time_slots set cancelled_at = deadline_at where time_slot = tests.slot('four');

select results_eq(
  $$ select slots.* from app.standing_slot('stanford', tests.slot('two')) as slots $$,
  $$ select slots.* from app.time_slots as slots where slots.campus_id = 'stanford' and slots.time_slot = tests.slot('two') $$,
  'the slot as it stands'
);
select tests.refused($$ select app.standing_slot('stanford', tests.slot('four')) $$, 'PT409', 'slot_cancelled', 'one that was called off');
select tests.refused($$ select app.standing_slot('stanford', tests.slot('six')) $$, 'PT404', 'slot_not_found', 'the slot of another campus');
select tests.refused($$ select app.standing_slot('mit', tests.slot('two')) $$, 'PT404', 'slot_not_found', 'or ours, asked for another');
select tests.refused($$ select app.standing_slot(null, tests.slot('two')) $$, 'PT403', 'no_campus', 'nothing of no campus');

update app.time_slots set matched_at = deadline_at where time_slot = tests.slot('two');
select isnt((app.standing_slot('stanford', tests.slot('two'))).matched_at, null, 'matched or not');

select * from finish();
rollback;
