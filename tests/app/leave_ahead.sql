-- Leaving all that is ahead: lists that are open, circles that have not begun.

begin;
select plan(15);

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
select tests.joined('ann', 'half', true), tests.joined('ben', 'half');  -- overdue at one: that keeps Ben there, not Ann
select tests.cancelled('seven');
select is_empty('select from tests.told()', 'given nothing to tell');
create function tests.at(p_slot text, p_after interval) returns void language sql as $$ select tests.clock_stands(tests.slot(p_slot) + p_after) $$;
create function tests.leaves() returns setof text language sql as $$
  select app.leave_ahead('stanford', tests.member('ann'));
  select trail.action || ' ' || trail.slot from tests.trail() where trail.member = 'ann' $$;

-- A deadline that has passed, and nobody has begun to match.
select tests.at('two', '-1 hour');
select tests.refused('select tests.leaves()', 'PT503', 'slot_busy', 'from its deadline to its matching a list can''t be left');
select is((select count(*) from app.waitlist_entries where user_id = tests.member('ann') and left_at is null), 5::bigint, 'and nothing else was');
-- A microsecond before.
select tests.at('two', '-1 hour -1 us');
savepoint before;
select results_eq('select tests.leaves()', $$ values ('waitlist.left two'), ('waitlist.left five') $$, 'a microsecond before it can; what met and what was cancelled is past');
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
