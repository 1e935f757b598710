-- How often two have met, by the books.

begin;
select plan(9);

select volatility_is('app', 'counted_meetings', array['text', 'uuid', 'uuid'], 'stable', 'it only reads');
select tests.may_call('app.counted_meetings(text, uuid, uuid)', '{}');

-- Given Ann and Ben in one circle at one, two and five, and in two circles at six; Cas always elsewhere.
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot(slot, at) from (values ('one', time '13:00'), ('two', '14:00'), ('five', '17:00'), ('six', '18:00')) as slots (slot, at);
select tests.in_circle(name, slot, case name when 'cas' then 2 else 1 end) from unnest('{ann,ben,cas}'::text[]) as names (name), unnest('{one,two,five}'::text[]) as slots (slot);
select tests.in_circle('ann', 'six', 1);
select tests.in_circle('ben', 'six', 2);
create function tests.counted(p_one text, p_other text, p_campus text default 'stanford') returns text language sql as $$
  select meetings_count || ', last at ' || (select name from tests.slots where time_slot = last_met_at) from app.counted_meetings(p_campus, tests.member(p_one), tests.member(p_other))
$$;

select is(tests.counted('ann', 'ben'), '3, last at five', 'circles that two shared, not slots');
select is(tests.counted('ben', 'ann'), '3, last at five', 'in either order');
select is_empty($$ select from app.counted_meetings('stanford', tests.member('ann'), tests.member('cas')) $$, 'no row for those who never met');
select tests.cancelled('five');
select is(tests.counted('ann', 'ben'), '2, last at two', 'nobody has met in a slot that was called off');
update app.circle_members set cancelled_at = time_slot where time_slot = tests.slot('two') and user_id = tests.member('ben');
select is(tests.counted('ann', 'ben'), '1, last at one', 'nor who gave up the place');
update app.circle_members set cancelled_at = time_slot where time_slot = tests.slot('one') and user_id = tests.member('ann');
select is(tests.counted('ann', 'ben'), null, 'whichever of the two');
select is(tests.counted('ann', 'ben', 'mit'), null, 'nor on another campus');

select * from finish();
rollback;
