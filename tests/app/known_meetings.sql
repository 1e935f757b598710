-- Who had met, as a matching knows it: before it, what is; after it, what was.

begin;
select plan(21);

select volatility_is('app', 'known_meetings', array['text', 'uuid[]', 'timestamp with time zone', 'integer[]', 'integer[]'], 'stable', 'it only reads');
select tests.may_call('app.known_meetings(text, uuid[], timestamptz, integer[], integer[])', '{}');

-- Given Ann and Ben in one circle at nine and at eleven, with Cas at nine; two o'clock is matched at one.
select tests.create_member(name) from unnest('{ann,ben,cas,zoe}'::text[]) as names (name);
select tests.create_slot(slot, at) from (values ('nine', time '09:00'), ('eleven', '11:00'), ('two', '14:00'), ('three', '15:00')) as slots (slot, at);
select tests.in_circle(name, slot, circle_no) from (values ('ann', 'nine', 1), ('ben', 'nine', 1), ('cas', 'nine', 1), ('zoe', 'nine', 2), ('ann', 'eleven', 1), ('ben', 'eleven', 1), ('cas', 'eleven', 2)) as places (name, slot, circle_no);
select app.recount_pairs('stanford', array(select user_id from app.users));
create function tests.known(p_slot text, p_people text default 'ann ben cas', p_campus text default 'stanford') returns text language sql as $$
  select string_agg(concat_ws(' ', least(ones.name, others.name), greatest(ones.name, others.name), meetings_count, slots.name), ', ' order by least(ones.name, others.name), greatest(ones.name, others.name))
  from (select array(select user_id from tests.people where name = any(string_to_array(p_people, ' '))) as ids) as listed
  cross join lateral app.known_meetings(p_campus, listed.ids, tests.slot(p_slot)) as known
  inner join tests.people as ones on ones.user_id = listed.ids[known.a]
  inner join tests.people as others on others.user_id = listed.ids[known.b]
  inner join tests.slots on slots.time_slot = known.last_met_at $$;

select is(tests.known('two'), 'ann ben 2 eleven, ann cas 1 nine, ben cas 1 nine', 'before the matching: what is');
select is(tests.known('two', 'ann cas'), 'ann cas 1 nine', 'of these people only');
select is(tests.known('two', 'ann zoe'), null, 'who sat in another circle has not met them');
select is(tests.known('two', 'ann ben cas', 'mit'), null, 'nothing of another campus');

-- Some of it: in the order of the names Ann is 1, Ben 2, Cas 3.
create function tests.known_some(p_seats integer[], p_of integer[]) returns text language sql as $$
  select string_agg(concat_ws(' ', least(a, b), greatest(a, b), meetings_count), ', ' order by least(a, b), greatest(a, b))
  from app.known_meetings('stanford', array(select user_id from tests.people where name <> 'zoe' order by name), tests.slot('two'), p_seats, p_of) $$;
create table tests.some as select * from (values
  (array[1, 2, 1], null::integer[], '1 3 1', 'who sits together'), (array[0, 2, 0], null, null, 'not two without a seat'),
  (null, array[2], '1 2 2, 2 3 1', 'pairs with one of these'), (null, array[1, 2], '1 2 2, 1 3 1, 2 3 1', 'with two of these once')) as cases (seats, people, known, meaning);
select is(tests.known_some(seats, people), known, meaning) from tests.some;
select tests.matched('two');
select is(tests.known('two'), 'ann ben 2 eleven, ann cas 1 nine, ben cas 1 nine', 'after it: the same from the circles');
select is(tests.known_some(seats, people), known, meaning || ', from the circles') from tests.some;

-- What came later, and what had come by then: the microsecond of the matching is "by then".
update app.time_slots set cancelled_at = tests.slot('two') - interval '1 hour' + interval '1 microsecond' where time_slot = tests.slot('eleven');
select is(tests.known('two'), 'ann ben 2 eleven, ann cas 1 nine, ben cas 1 nine', 'a slot that was called off afterwards had been met in');
update app.time_slots set cancelled_at = tests.slot('two') - interval '1 hour' where time_slot = tests.slot('eleven');
select is(tests.known('two'), 'ann ben 1 nine, ann cas 1 nine, ben cas 1 nine', 'one that had been called off had not');
update app.circle_members set cancelled_at = tests.slot('two') - interval '1 hour' + interval '1 microsecond' where user_id = tests.member('cas') and time_slot = tests.slot('nine');
select is(tests.known('two'), 'ann ben 1 nine, ann cas 1 nine, ben cas 1 nine', 'a place that was given up afterwards counts');
update app.circle_members set cancelled_at = tests.slot('two') - interval '1 hour' where user_id = tests.member('cas') and time_slot = tests.slot('nine');
select is(tests.known('two'), 'ann ben 1 nine', 'one that had been given up does not');
update app.circle_members set moved_from = 2, circle_no = 1, moved_at = tests.slot('two') where user_id = tests.member('zoe') and time_slot = tests.slot('nine');
select is(tests.known('two', 'ann zoe'), null, 'who was moved afterwards was still elsewhere');

-- A slot that was matched later tells nothing.
select tests.in_circle(name, 'three', 1) from unnest('{ann,cas}'::text[]) as names (name);
select is(tests.known('two'), 'ann ben 1 nine', 'circles that were formed later were not known');

select * from finish();
rollback;
