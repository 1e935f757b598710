-- A day's slots in numbers: lists as they fill, what the matching did, what was said after.

begin;
select plan(13);

select isnt_definer('app', 'operator_slots', array['text', 'text', 'date', 'timestamp with time zone'], 'called from definers only');
select volatility_is('app', 'operator_slots', array['text', 'text', 'date', 'timestamp with time zone'], 'stable', 'it only reads');
select tests.may_call('app.operator_slots(text, text, date, timestamptz)', '{}');

select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('six', '18:00', 'mit');
select tests.joined(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select tests.joined('cas', 'two', p_left => true);
select tests.joined('mia', 'six');

create function tests.slots(p_at time default '12:30') returns setof jsonb
language sql as $$
  select jsonb_array_elements(app.operator_slots('stanford', tests.campus_zone('stanford'), tests.day(), (tests.day() + p_at) at time zone tests.campus_zone('stanford')))
$$;

select is((select count(*) from tests.slots()), 2::bigint, 'the slots of this campus');
select is_empty('select from app.operator_slots(''stanford'', tests.campus_zone(''stanford''), tests.day() + 1, now()) as s where s <> ''[]''', 'of this day');
select is(s -> 'onList', '2', 'who is on the list counts') from (select * from tests.slots() limit 1) as s (s);
select is(s -> 'left', '1', 'and so does who has left') from (select * from tests.slots() limit 1) as s (s);
select results_eq(
  $$ select (p ->> 'until')::timestamptz - tests.slot('two'), p -> 'onList' from (select * from tests.slots() limit 1) as s (s), jsonb_array_elements(s -> 'filled') as p $$,
  $$ values (interval '-02:45', '3'::jsonb), (interval '-01:45', '2') $$,
  'how it filled, to the quarter of an hour: three came at eleven, one went at twelve'
);
select is(s - '{timeSlot,deadlineAt,endsAt,version}'::text[], '{"slotStatus": "open", "onList": 0, "left": 0, "filled": [], "match": null, "feedbackCount": 0, "averageRating": null}', 'an empty one')
from (select * from tests.slots() offset 1) as s (s);

select tests.in_circle(name, 'two') from unnest('{ann,ben,dan}'::text[]) as names (name);
update app.time_slots set match_report = '{"people": 3}' where time_slot = tests.slot('two');
select tests.gave_feedback(name, 'two', rating) from (values ('ann', 5), ('ben', 4), ('dan', 4)) as given (name, rating);
select is(s -> 'match', '{"people": 3}', 'the report of its matching') from (select * from tests.slots('15:00') limit 1) as s (s);
select is(s - '{timeSlot,deadlineAt,endsAt,version,filled,match,onList,left}'::text[], '{"slotStatus": "ended", "feedbackCount": 3, "averageRating": 4.3}', 'and what was said')
from (select * from tests.slots('15:00') limit 1) as s (s);
select is_empty('select from tests.slots() as s where s::text ~* ''ann|ben|@''', 'nobody''s name');
select tests.refused('select app.operator_slots(null, ''UTC'', tests.day(), now())', 'PT403', 'no_campus', 'no campus');

select * from finish();
rollback;
