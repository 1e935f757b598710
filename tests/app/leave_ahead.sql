-- Leaving all that is ahead: lists that are open, circles that have not begun.

begin;
select plan(22);

select isnt_definer('app', 'leave_ahead', array['text', 'uuid'], 'called from definers only');
select tests.may_call('app.leave_ahead(text, uuid)', '{}');

-- Given Ann in a circle that met at ten, in one at eleven, on the lists of two and five, off that of six; seven is cancelled.
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot(slot, at::time) from (values ('ten', '10:00'), ('eleven', '11:00'), ('half', '13:30'), ('two', '14:00'), ('five', '17:00'), ('six', '18:00'), ('seven', '19:00')) as slots (slot, at);
select tests.in_circle(name, slot) from unnest('{ann,ben,cas}'::text[]) as names (name) cross join unnest('{ten,eleven}'::text[]) as slots (slot);
insert into app.meetings select 'stanford', least(tests.member(a), tests.member(b)), greatest(tests.member(a), tests.member(b)), 2, tests.slot('eleven')
from (values ('ann', 'ben'), ('ann', 'cas'), ('ben', 'cas')) as met (a, b);
select tests.joined(name, slot) from unnest('{ann,ben}'::text[]) as names (name) cross join unnest('{two,five,seven}'::text[]) as slots (slot);
select tests.joined('ann', 'six', true);
select tests.joined('ann', 'half', true), tests.joined('ben', 'half');  -- what she has left she does not leave again
select tests.cancelled('seven');
select is_empty('select from tests.told()', 'given nothing to tell');
create function tests.at(p_slot text, p_after interval) returns void language sql as $$ select tests.clock_stands(tests.slot(p_slot) + p_after) $$;
create function tests.leaves() returns setof text language sql as $$
  select app.leave_ahead('stanford', tests.member('ann'));
  select trail.action || ' ' || trail.slot from tests.trail() where trail.member = 'ann' $$;

-- A deadline that has passed, and nobody has begun to match: the worker may be away.
savepoint before;
select tests.at('two', '-1 hour');
select results_eq('select tests.leaves()', $$ values ('waitlist.left two'), ('waitlist.left five') $$, 'after its deadline, too, a list can be left until it is matched; what met and what was cancelled is past');
select results_eq('select channel, payload ->> ''buttonState'', payload ->> ''slotStatus'' from tests.told()', $$ values ('user:ann', 'past', 'matching'), ('user:ann', 'join', 'open') $$, 'her devices are told');
select is_empty('select tests.leaves()', 'again: nothing');
select is((app.match_time_slot('stanford', tests.slot('two')) ->> 'people')::integer, 1, 'the matching does without her');
select results_eq('select user_id from app.waitlist_entries where time_slot = tests.slot(''two'') and left_at is null', 'select tests.member(''ben'')', 'Ben is still there');
rollback to before;
select tests.at('two', '20 min -1 us');
select is((select count(*) from tests.leaves()), 2::bigint, 'to the microsecond before its end');
rollback to before;
select tests.at('two', '20 min');
select results_eq('select tests.leaves()', $$ values ('waitlist.left five') $$, 'then it is over: who was on it is told that it was missed');
rollback to before;
-- A microsecond before the deadline.
select tests.at('two', '-1 hour -1 us');
select results_eq('select tests.leaves()', $$ values ('waitlist.left two'), ('waitlist.left five') $$, 'before its deadline, of course');
select results_eq('select channel, event, payload ->> ''buttonState'', payload ->> ''timeSlot'' from tests.told()', $$ values
  ('user:ann', 'button', 'join', '2030-06-12T14:00:00-07:00'), ('user:ann', 'button', 'join', '2030-06-12T17:00:00-07:00') $$, 'her devices are told, in the campus''s time');
select is_empty('select tests.leaves()', 'again: nothing');
rollback to before;

-- A circle: until it begins.
select tests.at('eleven', '-1 us');
select results_eq('select tests.leaves()', $$ values ('circle.left eleven'), ('waitlist.left two'), ('waitlist.left five') $$, 'a microsecond before eleven she gives up that place; ten o''clock has met');
select results_eq($$ select meetings_count, last_met_at from app.meetings where tests.member('ann') in (user_a, user_b) $$,
  $$ values (1, tests.slot('ten')), (1, tests.slot('ten')) $$, 'she has met nobody there');
select is((select meetings_count from app.meetings where tests.member('ann') not in (user_a, user_b)), 2, 'the others have');
rollback to before;
select tests.at('eleven', '0');
select results_eq('select tests.leaves()', $$ values ('waitlist.left two'), ('waitlist.left five') $$, 'at eleven it has begun, and stays');
rollback to before;

-- The campus's pairs are held only by who has a place to give up: else all who leave would take turns.
create function tests.holds_the_pairs() returns boolean language sql as $$
  select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and mode = 'ExclusiveLock'
    and (classid::bigint << 32 | objid::bigint) = app.lock_key('pairs', 'stanford')) $$;
select tests.create_slot('eight', '20:00');
select tests.at('two', '-1 hour -1 us');
select tests.joined(name, 'eight') from unnest('{ann,cas}'::text[]) as names (name);
select tests.in_circle(name, 'eight') from unnest('{ann,ben}'::text[]) as names (name);
update app.circle_members set cancelled_at = app.clock() where time_slot = tests.slot('eight') and user_id = tests.member('ann');
savepoint before;
select app.leave_ahead('stanford', tests.member(name)) from unnest('{ann,cas}'::text[]) as names (name);
select is(tests.holds_the_pairs(), false, 'not by who had given it up before, nor who was left out');
rollback to before;
update app.circle_members set cancelled_at = null where time_slot = tests.slot('eight');
select app.leave_ahead('stanford', tests.member('ann'));
select is(tests.holds_the_pairs(), true, 'by who gives it up now');
rollback to before;

-- The matching does without her.
select tests.at('two', '-1 hour -1 us');
select is((select count(*) from tests.leaves()), 2::bigint, 'given she left again');
select tests.joined('cas', 'two');
select tests.create_member('dan');
select tests.joined('dan', 'two');
select tests.at('two', '-1 hour');
select is((app.match_time_slot('stanford', tests.slot('two')) ->> 'people')::integer, 3, 'three are matched');
select results_eq($$ select * from tests.circles('two') $$, $$ values ('ben cas dan') $$, 'she is not among them');

select * from finish();
rollback;
