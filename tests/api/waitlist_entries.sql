-- The lists as a table: insert joins, delete leaves, by the same functions as the calls.

begin;
select plan(46);

select is((select reloptions from pg_class where oid = 'api.waitlist_entries'::regclass), array['security_invoker=true'], 'row level security decides, as the caller');
select columns_are('api', 'waitlist_entries', array['campus_id', 'time_slot', 'user_id', 'joined_at', 'version']);
select table_privs_are('api', 'waitlist_entries', 'authenticated', array['SELECT', 'DELETE'], 'a member reads and deletes all of a row');
select column_privs_are('api', 'waitlist_entries', 'time_slot', 'authenticated', array['SELECT', 'INSERT', 'UPDATE'], 'and writes which slot');
select column_privs_are('api', 'waitlist_entries', col::name, 'authenticated', array['SELECT'], 'but not ' || col) from unnest('{campus_id,joined_at,version}'::text[]) as cols (col);
select is_definer('app', 'write_waitlist_entry', array[]::text[], 'the trigger writes what no role of a request may');
select tests.may_call('app.write_waitlist_entry()', '{}');

select set_config('circle27.rate_limits', 'off', true);  -- all here is one transaction, whose rows count: tests/app/limit_write.sql

-- Given Ann and Ben, a slot at two and one at five, and one at the same time elsewhere.
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('mits', '14:00', 'mit');
select tests.joined('ben', 'two');
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');

-- Joining.
select tests.act_as('ann');
select lives_ok($$ insert into api.waitlist_entries (time_slot) values (tests.slot('two')) $$, 'Ann joins by an insert');
select results_eq('select campus_id, time_slot, user_id, joined_at from api.waitlist_entries', $$ values ('stanford', tests.slot('two'), tests.member('ann'), tests.slot('two') - interval '1 hour 1 us') $$,
  'she sees her entry, and not Ben''s');
select results_eq('select channel, event from tests.told()', $$ values ('user:ann', 'button') $$, 'it is told as by the call');
select results_eq('select action, member, slot from tests.trail()', $$ values ('waitlist.joined', 'ann', 'two') $$, 'and in the trail');
select tests.repeats($$ insert into api.waitlist_entries (time_slot) values (tests.slot('two')) returning joined_at || ' ' || version $$, 'joining twice gives the same row and writes nothing');
select lives_ok($$ insert into api.waitlist_entries (time_slot, user_id) values (tests.slot('five'), tests.member('ann')) $$, 'she may say who she is');
select tests.refused($$ insert into api.waitlist_entries (time_slot, user_id) values (tests.slot('five'), tests.member('ben')) $$, 'PT403', 'not_yours', 'not that she is Ben');
select tests.refused($$ insert into api.waitlist_entries (user_id) values (tests.member('ann')) $$, 'PT404', 'slot_not_found', 'nor joins nothing');
select throws_ok($$ insert into api.waitlist_entries (time_slot, campus_id) values (tests.slot('mits'), 'mit') $$, '42501', null, 'nor names a campus');
select throws_ok($$ insert into api.waitlist_entries (time_slot, joined_at) values (tests.slot('five'), now()) $$, '42501', null, 'nor the time');
select tests.refused('update api.waitlist_entries set time_slot = tests.slot(''five'')', 'PT405', 'entry_fixed', 'an entry is never moved');
select is_empty('update api.waitlist_entries set time_slot = time_slot where user_id = tests.member(''ben'') returning 1', 'Ben''s is not there to be moved');
select is_empty('delete from api.waitlist_entries where user_id = tests.member(''ben'') returning 1', 'nor to be deleted');

-- Leaving.
delete from api.waitlist_entries where time_slot = tests.slot('five');
select results_eq('select time_slot from api.waitlist_entries', $$ values (tests.slot('two')) $$, 'Ann leaves by a delete: who has left has no row');
select is_empty('delete from api.waitlist_entries where time_slot = tests.slot(''five'') returning 1', 'leaving twice finds nothing');
select results_eq('select channel, payload ->> ''buttonState'' from tests.told()', $$ values ('user:ann', 'leave'), ('user:ann', 'join') $$, 'each change was told once');
select is((select string_agg(action, ' ') from tests.trail()), 'waitlist.joined waitlist.left', 'and is in the trail once');
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select tests.refused('delete from api.waitlist_entries', 'PT409', 'deadline_passed', 'at the deadline a delete is too late');
select lives_ok($$ insert into api.waitlist_entries (time_slot) values (tests.slot('two')) $$, 'to insert what is there is a repetition');
select tests.refused($$ insert into api.waitlist_entries (time_slot) values (tests.slot('two')), (tests.slot('two') + interval '1 us') $$, 'PT404', 'slot_not_found', 'one row that can''t be refuses all');
select tests.act_as_nobody();
select is((select count(*) from app.waitlist_entries where time_slot = tests.slot('two') and left_at is null), 2::bigint, 'both stay on the list');

-- A trusted server writes for anyone.
select tests.clock_stands(tests.slot('two') - interval '2 hours');
select tests.act_as_role('service_role');
select is((select count(*) from api.waitlist_entries), 2::bigint, 'a trusted server sees all lists');
select lives_ok($$ insert into api.waitlist_entries (time_slot, user_id) values (tests.slot('two'), tests.member('mia')), (tests.slot('five'), tests.member('ben')) $$, 'and joins for anyone, each on their own campus');
select results_eq('select campus_id, time_slot from api.waitlist_entries where user_id = tests.member(''mia'')', $$ values ('mit', tests.slot('mits')) $$, 'Mia on hers');
select tests.refused($$ insert into api.waitlist_entries (time_slot, user_id) values (tests.slot('five'), tests.member('mia')) $$, 'PT404', 'slot_not_found', 'but in no other campus''s slot');
select tests.refused($$ insert into api.waitlist_entries (time_slot) values (tests.slot('two')) $$, 'PT404', 'member_not_found', 'it must say for whom');
select tests.refused($$ insert into api.waitlist_entries (time_slot, user_id) values (tests.slot('two'), gen_random_uuid()) $$, 'PT404', 'member_not_found', 'and for somebody');
select tests.refused('update api.waitlist_entries set time_slot = time_slot', 'PT405', 'entry_fixed', 'nor does it move an entry');
select lives_ok($$ delete from api.waitlist_entries where user_id = tests.member('ben') and time_slot = tests.slot('two') $$, 'it leaves for Ben');
select tests.act_as('ben');
select results_eq('select time_slot from api.waitlist_entries', $$ values (tests.slot('five')) $$, 'who sees it');

-- The wrong people.
select tests.act_as(null);
select tests.refused($$ insert into api.waitlist_entries (time_slot) values (tests.slot('two')) $$, 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused($$ insert into api.waitlist_entries (time_slot) values (tests.slot('two')) $$, 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as('ann', '{"role": "service_role"}');
select tests.refused($$ insert into api.waitlist_entries (time_slot, user_id) values (tests.slot('two'), tests.member('ben')) $$, 'PT403', 'not_yours', 'nor makes a server of a member');
select tests.act_as_role('anon');
select throws_ok(statement, '42501', null, 'a stranger may not ' || split_part(statement, ' ', 1))
from unnest(array['select from api.waitlist_entries', 'insert into api.waitlist_entries (time_slot) values (now())',
  'update api.waitlist_entries set time_slot = now()', 'delete from api.waitlist_entries']) as s (statement);

select * from finish();
rollback;
