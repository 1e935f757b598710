-- What a matching knows of each person, at both sides of each boundary.

begin;
select plan(17);

select volatility_is('app', 'matching_inputs', array['app.campuses', 'uuid[]', 'timestamp with time zone'], 'stable', 'it only reads');
select tests.may_call('app.matching_inputs(app.campuses, uuid[], timestamptz)', '{}');

-- Given Ann, Ben and Cas on the list of two o'clock; a slot 30 days before, one a microsecond later, and three of that day.
select tests.create_member(name, case name when 'mo' then 'mit' else 'stanford' end) from unnest('{ann,ben,cas,zoe,mo}'::text[]) as names (name);
select tests.create_slot(name, at) from (values ('nine', time '09:00'), ('ten', '10:00'), ('eleven', '11:00'), ('two', '14:00'), ('three', '15:00')) as slots (name, at);
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
select 'stanford', at, at - interval '1 hour', at + interval '20 minutes', 1
from (values (tests.slot('two') - interval '720 hours'), (tests.slot('two') - interval '720 hours' + interval '1 microsecond')) as slots (at);
insert into tests.slots values ('edge', 'stanford', tests.slot('two') - interval '720 hours'), ('inside', 'stanford', tests.slot('two') - interval '720 hours' + interval '1 microsecond');
create function tests.known(p_key text) returns jsonb language sql as $$
  select app.matching_inputs(campuses, array[tests.member('ann'), tests.member('ben'), tests.member('cas')], tests.slot('two')) -> p_key
  from app.campuses where campus_id = 'stanford' $$;
create function tests.missed(p_name text, p_slot text) returns void language sql as $$
  select tests.joined(p_name, p_slot);
  update app.waitlist_entries set left_out = true where user_id = tests.member(p_name) and time_slot = tests.slot(p_slot) $$;

select results_eq($$ select key, tests.known(key) from unnest('{missed,risk,repeats,class,walls}'::text[]) as keys (key) $$, $$ values
  ('missed', '[0, 0, 0]'::jsonb), ('risk', '[0, 0, 0]'), ('repeats', '[0, 0, 0]'), ('class', '[1, 1, 1]'), ('walls', '[]') $$, 'of who is new, nothing');
select is(tests.known('campus'), '{"campus_id": "stanford", "size_min": 3, "size_target": 4, "size_max": 5, "min_gap_days": 7, "mix_attribute": null}'::jsonb
  || jsonb_build_object('min_gap_days', (select min_gap_days from app.campuses where campus_id = 'stanford')), 'the rules of the campus');
select is(app.matching_inputs(campuses, '{}', tests.slot('two')) - 'campus', '{"missed": [], "risk": [], "repeats": [], "class": [], "walls": []}', 'of nobody, nothing') from app.campuses where campus_id = 'stanford';

-- Left out.
select tests.missed('ann', 'edge'), tests.missed('ben', 'inside'), tests.missed('cas', 'three'), tests.missed('cas', 'two');
select is(tests.known('missed'), '[0, 101, 0]', 'left out within 30 days, not before, and not at the slot itself or after');
select tests.missed('ann', 'nine'), tests.missed('ben', 'nine'), tests.in_circle('ann', 'ten');
select is(tests.known('missed'), '[1, 102, 0]', 'a place since then: it was not the last time');
select tests.missed('cas', 'eleven'), tests.cancelled('eleven');
select is(tests.known('missed'), '[1, 102, 0]', 'a slot that was called off left nobody out');

-- Stayed away.
select tests.in_circle(name, slot) from (values ('ann', 'edge'), ('ben', 'inside'), ('cas', 'inside'), ('cas', 'nine'), ('cas', 'ten'), ('ann', 'three')) as places (name, slot);
update app.circle_members set attended = case when user_id = tests.member('ann') and time_slot = tests.slot('ten') then true else false end;
select is(tests.known('risk'), '[0, 1, 2]', 'who stayed away within 30 days, twice at most');

-- Repeats.
insert into app.meetings select 'stanford', least(tests.member(a), tests.member(b)), greatest(tests.member(a), tests.member(b)), times, tests.slot(slot)
from (values ('ann', 'ben', 2, 'edge'), ('ann', 'cas', 3, 'inside'), ('ben', 'cas', 1, 'ten'), ('cas', 'zoe', 2, 'nine')) as met (a, b, times, slot);
select is(tests.known('repeats'), '[1, 0, 2]', 'pairs who have met more than once, the last time within 30 days, whoever the other is');
select tests.create_member('x' || number) from generate_series(1, 5) as numbers (number);
insert into app.meetings select 'stanford', least(tests.member('ben'), user_id), greatest(tests.member('ben'), user_id), 2, tests.slot('ten') from tests.people where name like 'x_';
select is(tests.known('repeats'), '[1, 4, 2]', 'four at most');

-- Walls, by the place in the list.
select tests.blocked('cas', 'ann'), tests.blocked('ann', 'ben'), tests.blocked('ann', 'zoe'), tests.blocked('zoe', 'ben');
select is(tests.known('walls'), '[[1, 2], [3, 1]]', 'walls between those on the list, from who blocks to who is blocked');

-- What is mixed.
update app.users set attributes = jsonb_build_object('year', case display_name when 'Ben' then 3 else 2 end) where campus_id = 'stanford';
select is(tests.known('class'), '[1, 1, 1]', 'no attribute is mixed unless the campus wants it');
update app.campuses set mix_attribute = 'year';
select is(tests.known('class'), '[1, 2, 1]', 'the values as numbers, never as they are');
update app.users set attributes = '{}' where user_id = tests.member('cas');
select is(tests.known('class'), '[2, 3, 1]', 'who says nothing is a class, too');

-- Another campus's books.
update app.waitlist_entries set left_out = false;
select is(tests.known('missed'), '[0, 0, 0]', 'given nobody was left out');
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version) select 'mit', time_slot, deadline_at, ends_at, 1 from app.time_slots where time_slot = tests.slot('nine');
insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version, left_out) select 'mit', tests.slot('nine'), tests.member('mo'), tests.slot('nine') - interval '2 hours', 1, true;
select is(app.matching_inputs(campuses, array[tests.member('mo')], tests.slot('two')) -> 'missed', case campus_id when 'mit' then '[101]' else '[0]' end::jsonb, campus_id || ' reads its own books')
from app.campuses where campus_id = 'stanford';

select * from finish();
rollback;
