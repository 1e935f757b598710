-- The one way into an open slot: tells the time, the slot's facts, and whether it is open. Joining and leaving both come through it.

begin;
select plan(15);

select isnt_definer('app', 'enter_open_slot', array['text', 'uuid', 'timestamp with time zone'], 'called from definers only');
select volatility_is('app', 'enter_open_slot', array['text', 'uuid', 'timestamp with time zone'], 'volatile', 'it locks');
select tests.may_call('app.enter_open_slot(text, uuid, timestamptz)', '{}');

select tests.create_member('ann');
select tests.create_slot('two', '14:00');
create function tests.entered() returns timestamptz language sql as $$ select entered_at from app.enter_open_slot('stanford', tests.member('ann'), tests.slot('two')) $$;

select tests.clock_stands(tests.slot('two') - interval '1 hour');
create function tests.open() returns boolean language sql as $$ select is_open from app.enter_open_slot('stanford', tests.member('ann'), tests.slot('two')) $$;
select is(tests.open(), false, 'at the deadline it is closed');
select is_empty($$ select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() $$, 'and who is late waits for no lock');
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');
select is(tests.entered(), tests.slot('two') - interval '1 hour 1 us', 'a microsecond before it is open, and tells the time');
select results_eq($$ select mode, count(*)::integer from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() group by mode order by mode $$,
  $$ values ('ExclusiveLock', 1), ('ShareLock', 1) $$, 'with the member held alone and the slot shared');
select results_eq($$ select * from app.enter_open_slot('stanford', tests.member('ann'), tests.slot('two')) $$,
  $$ select tests.slot('two') - interval '1 hour 1 us', 'America/Los_Angeles', deadline_at, ends_at, version, true, false from app.time_slots $$, 'with the slot''s facts');
select tests.repeats('select tests.entered()', 'nothing is written or told');

select tests.matched('two');
select is(tests.open(), false, 'a matched slot is closed, even if the clock says open');
select tests.cancelled('two');
select tests.refused('select tests.entered()', 'PT409', 'slot_cancelled', 'called off is the reason that counts most');
select tests.clock_stands(tests.slot('two'));
select tests.refused('select tests.entered()', 'PT409', 'slot_cancelled', 'after the deadline, too');

select tests.refused($$ select app.enter_open_slot(null, tests.member('ann'), tests.slot('two')) $$, 'PT403', 'no_campus', 'no campus');
select tests.refused($$ select app.enter_open_slot('mit', tests.member('ann'), tests.slot('two')) $$, 'PT404', 'slot_not_found', 'another campus has no such slot');
select tests.refused($$ select app.enter_open_slot('stanford', tests.member('ann'), null) $$, 'PT404', 'slot_not_found', 'nor is there nothing');

select * from finish();
rollback;
