-- Circles are written down: who is in which, where it meets, and who has met whom.

begin;
select plan(29);

select isnt_definer('app', 'seat_circles', array['app.time_slots', 'uuid[]', 'integer[]', 'bigint'], 'called from definers only');
select tests.may_call('app.seat_circles(app.time_slots, uuid[], integer[], bigint)', '{}');

-- Given four people on every list, two spots in use, a closed one and one of another campus.
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_slot(slot, at) from (values ('two', time '14:00'), ('ten past', '14:10'), ('at its end', '14:20'), ('before', '13:40'), ('called off', '14:05'), ('six', '18:00')) as slots (slot, at);
select tests.create_slot('mits', '11:00', 'mit');
select tests.joined(people.name, slots.name) from tests.people, tests.slots where slots.campus_id = 'stanford';
select app.add_meeting_spot('stanford', spot, spot) from unnest('{court,steps,attic}'::text[]) as spots (spot);
select app.add_meeting_spot('mit', 'dome', 'Dome');
update app.meeting_spots set closed_at = now() where spot_id = 'attic';
create function tests.seated(p_slot text, p_circles integer[], p_people text default 'ann ben cas dan') returns jsonb language sql as $$
  select app.seat_circles(slots, (select array_agg(tests.member(name) order by number) from string_to_table(p_people, ' ') with ordinality as names (name, number)), p_circles, 5)
  from app.time_slots as slots where slots.time_slot = tests.slot(p_slot) and campus_id = 'stanford'
$$;
create function tests.spots(p_slot text) returns text language sql as $$
  select string_agg(coalesce(spot_id, '-'), ' ' order by spot_id nulls last) from app.circles where time_slot = tests.slot(p_slot) and campus_id = 'stanford'
$$;

select is(tests.seated('two', '{2,1,null,2}'), '{"people": 4, "circles": 2, "leftOut": 1, "repeatedPairs": 0, "circlesWithoutSpot": 0}', 'the report counts');
select results_eq('select tests.circles(''two'')', array['ben', 'ann dan'], 'each sits where the numbers say, and who has none nowhere');
select results_eq('select user_id, time_slot from app.waitlist_entries where left_out', $$ values (tests.member('cas'), tests.slot('two')) $$, 'and comes first the next time');
select is(tests.spots('two'), 'court steps', 'each circle has a spot of its own, of this campus and in use');
select results_eq('select tests.member(''ann'') in (user_a, user_b) and tests.member(''dan'') in (user_a, user_b), meetings_count, last_met_at from app.meetings',
  $$ values (true, 1, tests.slot('two')) $$, 'those who sit together have met, and no others');
select is_empty('select from tests.told()', 'telling is for others');

-- Spots: one circle at a time.
select is(tests.seated('ten past', '{1,1,1,1}') -> 'circlesWithoutSpot', '1', 'while both are taken there is none');
select is(tests.spots('ten past'), '-', 'rather than one for two');
select is(tests.seated('before', '{1,2,3,3}') -> 'circlesWithoutSpot', '1', 'a slot that ends when two begins has both; the third circle has none');
select is(tests.spots('before'), 'court steps -', 'each once');
select is(tests.seated('at its end', '{1,1,2,2}') -> 'circlesWithoutSpot', '0', 'so has one that begins when two ends');
delete from app.circles where time_slot in (tests.slot('at its end'), tests.slot('ten past'));
select tests.cancelled('two');
select is(tests.seated('called off', '{1,1,2,2}') -> 'circlesWithoutSpot', '0', 'a slot that is called off gives its spots back');
select tests.cancelled('called off');
select tests.create_slot('long', '20:00');
select tests.joined('ann', 'long');
update app.time_slots set ends_at = time_slot + interval '24 hours' where time_slot = tests.slot('long');
select is(tests.seated('long', '{1}', 'ann') -> 'circlesWithoutSpot', '0', 'a meeting that lasts a day');
insert into tests.slots values ('next day', 'stanford', tests.slot('long') + interval '23 hours 59 minutes');
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version) select campus_id, time_slot, time_slot - interval '1 hour', time_slot + interval '20 minutes', 1 from tests.slots where name = 'next day';
select tests.joined(name, 'next day') from unnest('{ann,ben}'::text[]) as names (name);
select is(tests.seated('next day', '{1,2}', 'ann ben') -> 'circlesWithoutSpot', '1', 'holds its spot to its last minute');
select is(app.seat_circles(slots, '{}', '{}', 5), '{"people": 0, "circles": 0, "leftOut": 0, "repeatedPairs": 0, "circlesWithoutSpot": 0}', 'nobody makes no circle')
from app.time_slots as slots where time_slot = tests.slot('six');

-- Pairs are counted over all slots, whichever is matched first.
delete from app.circles;
delete from app.meetings;
select is(tests.seated('six', '{1,1,1,2}') -> 'repeatedPairs', '0', 'three pairs meet first at six');
select is(tests.seated('two', '{1,1,2,2}') -> 'repeatedPairs', '1', 'a slot before that, matched later, repeats one');
select results_eq('select meetings_count, last_met_at, count(*)::integer from app.meetings group by 1, 2 order by 1 desc, 2',
  $$ values (2, tests.slot('six'), 1), (1, tests.slot('two'), 1), (1, tests.slot('six'), 2) $$, 'which is counted twice, and the last time stays the last');
select ok(bool_and(user_a < user_b), 'the smaller id first') from app.meetings;
select throws_ok($$ select tests.seated('six', '{1,1,1,1}') $$, '23505', null, 'a slot is not seated twice');
select throws_ok($$ update app.circles set spot_id = 'court' where time_slot = tests.slot('two') $$, '23P01', null, 'nor can one spot be stored for two circles of a slot');

-- Nor for two slots, whoever writes it: given the court from two to twenty past.
delete from app.circles;
create function tests.booked(p_slot text, p_spot text default 'court', p_campus text default 'stanford') returns text language plpgsql as $$
declare v_constraint text;
begin
  insert into app.circles (campus_id, time_slot, circle_no, spot_id, ends_at)
  select campus_id, time_slot, 1, p_spot, ends_at from app.time_slots where campus_id = p_campus and time_slot = tests.slot(p_slot);
  return 'booked';
exception when exclusion_violation then
  get stacked diagnostics v_constraint = constraint_name;
  return v_constraint;
end $$;
update app.time_slots set cancelled_at = null where time_slot in (tests.slot('two'), tests.slot('called off'));
select is(tests.booked('two'), 'booked', 'the first one has it');
select is(tests.booked('ten past'), 'circles_spot_free', 'a slot that begins meanwhile is refused');
select is(tests.booked('before') || ' ' || tests.booked('at its end'), 'booked booked', 'one that ends when it begins is not, nor one that begins when it ends');
select is(tests.booked('ten past', 'steps'), 'booked', 'nor another spot');
delete from app.circles where time_slot = tests.slot('at its end');
select tests.cancelled('two');
select is(tests.booked('called off'), 'booked', 'what was called off holds nothing');
delete from app.circles;
insert into app.circles (campus_id, time_slot, circle_no, ends_at) select campus_id, time_slot, 1, ends_at from app.time_slots where time_slot = tests.slot('six');
select throws_ok($$ update app.circles set spot_id = 'dome' where time_slot = tests.slot('six') and circle_no = 1 $$, '23503', null, 'nor a spot of another campus');

select * from finish();
rollback;
