-- A matching of the past, again: the same circles from what was known then, whatever has happened since.

begin;
select plan(30);

select isnt_definer('app', 'replay_matching', array['text', 'timestamp with time zone'], 'called from definers only');
select volatility_is('app', 'replay_matching', array['text', 'timestamp with time zone'], 'stable', 'it can write nothing');
select tests.may_call(name || '(' || arguments || ')', '{}') from (values
  ('app.replay_matching', 'text, timestamptz'), ('app.known_meetings', 'text, uuid[], timestamptz, integer[], integer[]'), ('app.known_wishes', 'text, uuid[], timestamptz'),
  ('app.drawn_order', 'text, timestamptz, bigint'), ('app.matching_inputs', 'app.campuses, uuid[], timestamptz')) as functions (name, arguments);

-- Given 23 people and four slots, matched one after the other; a slot of which only the circles are known; and one to come.
select tests.create_member('m' || number) from generate_series(1, 23) as numbers (number);
select tests.create_slot(name, at) from (values ('nine', time '09:00'), ('ten', '10:00'), ('noon', '12:00'), ('two', '14:00'), ('later', '14:15'), ('old', '07:00'), ('six', '18:00')) as slots (name, at);
select tests.in_circle('m' || number, 'old', (number + 3) / 4) from generate_series(1, 12) as numbers (number);
select tests.joined('m' || number, slot) from generate_series(1, 23) as numbers (number) cross join unnest('{nine,ten,noon,two,later,six}'::text[]) as slots (slot);
select tests.blocked('m1', 'm2'), tests.blocked('m5', 'm1'), tests.blocked('m3', 'm9');
update app.campuses set min_gap_days = 2;
select app.recount_pairs('stanford', array(select user_id from app.users));
create function tests.matches(p_slot text, p_seed bigint) returns void language sql as $$
  select tests.clock_stands(tests.slot(p_slot) - interval '1 hour');
  select app.match_time_slot('stanford', tests.slot(p_slot), p_seed) $$;
create function tests.replay(p_slot text) returns jsonb language sql as $$ select app.replay_matching('stanford', tests.slot(p_slot)) $$;
select tests.matches(slot, seed) from (values ('nine', 1), ('ten', 2)) as slots (slot, seed);
-- Between two matchings: a place is given up, and two are left, who join another circle, before noon is matched.
select tests.clock_stands(tests.slot('ten') - interval '30 minutes');
select app.cancel_place('stanford', user_id, time_slot) from (
  select user_id, time_slot from app.circle_members where time_slot = tests.slot('ten') and circle_no = 6 order by user_id limit 3) as places;
-- By then some had stayed away, and some had said whom they want to meet again.
update app.circle_members set attended = false where time_slot = tests.slot('nine') and circle_no < 3;
insert into app.feedback (campus_id, time_slot, user_id, rating, created_at)
select campus_id, time_slot, user_id, 1 + circle_no % 3, app.clock() from app.circle_members where time_slot = tests.slot('nine') and circle_no > 2;
select tests.matches('noon', 3);
select tests.matches('two', 4);
select tests.matches('later', 5);
create table tests.before as select name, app.replay_matching('stanford', time_slot) as replay from tests.slots where name in ('ten', 'noon', 'two', 'later');

select is(tests.replay(slot) -> 'same', 'true', slot || ': the same circles') from unnest('{nine,ten,noon,two,later}'::text[]) as slots (slot);
select is(tests.replay('two') - 'then' - 'now', jsonb_build_object('campusId', 'stanford', 'timeSlot', tests.slot('two'), 'matchedAt', tests.slot('two') - interval '1 hour',
  'seed', 4, 'people', 23, 'same', true, 'seatedElsewhere', 0), 'with what it was drawn from');
select is(tests.replay('two') -> 'then', tests.replay('two') -> 'now', 'and the same costs');
select is((tests.replay(slot) #>> '{then,repeatedPairs}')::integer, (match_report ->> 'repeatedPairs')::integer, slot || ': as many pairs who had met as the matching counted')
from tests.slots inner join app.time_slots using (campus_id, time_slot) cross join lateral (values (name)) as names (slot) where match_report is not null order by time_slot;
select is(tests.replay('two') #> '{then,repeatedWithinGap}', tests.replay('two') #> '{then,repeatedPairs}', 'all of them today, within the gap');

-- What happens afterwards changes nothing: places, walls, rules, slots called off, accounts deleted.
select tests.clock_stands(tests.slot('two') - interval '30 minutes');
select app.cancel_place('stanford', user_id, time_slot) from (
  select user_id, time_slot from app.circle_members where time_slot = tests.slot('two') and circle_no = 6 order by user_id limit 2) as places;
select isnt_empty($$ select from app.circle_members where time_slot = tests.slot('two') and moved_from is not null $$, 'given circles were merged');
delete from app.blocks;
select tests.blocked('m' || number, 'm' || (number + 1)) from generate_series(1, 10) as numbers (number);
update app.campuses set size_max = 8, size_target = 7, size_min = 6, min_gap_days = 0;
update app.time_slots set cancelled_at = tests.slot('two') where time_slot in (tests.slot('nine'), tests.slot('two'));
update app.user_campuses set closed_at = now() where user_id = tests.member('m7');
update app.circle_members set attended = true where time_slot < tests.slot('two');
update app.waitlist_entries set left_out = true where time_slot < tests.slot('two');
update app.users set attributes = jsonb_build_object('year', ascii(display_name));
update app.campuses set mix_attribute = 'year';
insert into app.feedback (campus_id, time_slot, user_id, rating, created_at)
select campus_id, time_slot, user_id, 1, app.clock() + interval '1 second' from app.circle_members on conflict do nothing;
select is(tests.replay(name), replay, name || ': still the same') from tests.before order by name;

-- What was changed by hand is noticed.
update app.circle_members set circle_no = case circle_no when 1 then 2 else 1 end
where time_slot = tests.slot('noon') and user_id in (
  (select min(user_id::text)::uuid from app.circle_members where time_slot = tests.slot('noon') and circle_no = 1),
  (select min(user_id::text)::uuid from app.circle_members where time_slot = tests.slot('noon') and circle_no = 2));
select is(tests.replay('noon') -> 'same', 'false', 'two who changed places are noticed');

-- What can't be replayed.
select tests.refused($$ select tests.replay('six') $$, 'PT409', 'not_matched_yet', 'what was not matched');
select tests.refused($$ select tests.replay('old') $$, 'PT409', 'inputs_not_kept', 'what was matched in a past that was invented');
select tests.refused($$ select tests.replay('seven') $$, 'PT404', 'slot_not_found', 'what is not there');
select tests.refused($$ select app.replay_matching(null, tests.slot('two')) $$, 'PT403', 'no_campus', 'and nothing of no campus');

select * from finish();
rollback;
