-- Method 7: the whole truth table, each boundary one microsecond either side, and every kind of hour.

begin;
select plan(42);

select volatility_is('app', 'button_state', 'immutable', 'reads no table and no clock');
select isnt_definer('app', 'button_state', 'needs nobody''s rights');
select function_privs_are('app', 'button_state',
  array['timestamptz', 'timestamptz', 'timestamptz', 'text', 'boolean', 'boolean', 'boolean'],
  'authenticated', array[]::text[], 'members reach it through api only');

-- Given a slot at 2PM in Los Angeles: deadline 1PM, end 2:20PM. The truth table of the specification in full:
-- three phases, each with its first and its last microsecond, times on the list, in a circle, feedback given.
create temporary table phases (phase text, at timestamptz);
insert into phases values
  ('before', '2030-06-12 00:00-07'),
  ('before', '2030-06-12 12:59:59.999999-07'),
  ('during', '2030-06-12 13:00:00-07'),
  ('during', '2030-06-12 13:00:00.000001-07'),
  ('during', '2030-06-12 14:19:59.999999-07'),
  ('after', '2030-06-12 14:20:00-07'),
  ('after', '2030-06-12 14:20:00.000001-07'),
  ('after', '2031-01-01 00:00-08');

create temporary table truth (
  phase text, on_list boolean, in_circle boolean, given boolean, state text, words text, middle text, disabled boolean
);
insert into truth values
  ('before', false, null, null, 'join', 'Join', 'Decide by 1PM', false),
  ('before', true, null, null, 'leave', 'Can''t Go', 'Decide by 1PM', false),
  ('during', null, true, null, 'confirmed', 'Confirmed ✓', 'Confirmed at 1PM', false),
  ('during', null, false, null, 'past', 'Past', 'Closed at 1PM', true),
  ('after', null, true, false, 'feedback', 'Feedback >', 'Confirmed at 1PM', false),
  ('after', null, true, true, 'past', 'Past', 'Confirmed at 1PM', true),
  ('after', null, false, null, 'past', 'Past', 'Closed at 1PM', true);

create temporary view outcomes as
select
  truth.*, phases.at,
  app.button_state(
    phases.at, '2030-06-12 13:00-07', '2030-06-12 14:20-07', 'America/Los_Angeles',
    coalesce(truth.on_list, l.v), coalesce(truth.in_circle, c.v), coalesce(truth.given, f.v)
  )::jsonb as said,
  jsonb_build_object(
    'buttonState', truth.state, 'buttonText', truth.words, 'middleText', truth.middle, 'isDisabled', truth.disabled
  ) as wanted
from truth
inner join phases using (phase)
cross join (values (true), (false)) as l (v)
cross join (values (true), (false)) as c (v)
cross join (values (true), (false)) as f (v);

select is(count(*), 152::bigint, 'the table is complete') from outcomes;
select is(
  count(*) filter (where said is distinct from wanted), 0::bigint,
  format('%s at %s, list %s, circle %s, feedback %s: %s',
    phase, at, coalesce(on_list::text, '-'), coalesce(in_circle::text, '-'), coalesce(given::text, '-'), state)
)
from outcomes
group by phase, at, on_list, in_circle, given, state
order by at, on_list, in_circle, given;

-- The keys, and no other.
select bag_eq(
  $$ select key from json_object_keys(app.button_state(now(), now(), now() + '1h', 'UTC', true, true, true)) as k (key) $$,
  array['buttonState', 'buttonText', 'middleText', 'isDisabled'],
  'exactly the seed''s four keys'
);

-- Hours.
select is(hour, wanted, wanted)
from (values
  ('00:00', '12AM'), ('00:05', '12:05AM'), ('01:00', '1AM'), ('09:30', '9:30AM'), ('10:00', '10AM'), ('11:59', '11:59AM'),
  ('12:00', '12PM'), ('12:30', '12:30PM'), ('13:00', '1PM'), ('13:30', '1:30PM'), ('22:45', '10:45PM'), ('23:00', '11PM')
) as hours (at, wanted)
cross join lateral (
  select substr(app.button_state(
    '2030-01-01', ('2030-06-12 ' || at || '+00')::timestamptz, '2030-06-14', 'UTC', false, false, false
  ) ->> 'middleText', 11)
) as said (hour);

-- The hour is the deadline's in the campus's zone, whatever the caller's.
select is(
  app.button_state('2030-01-01', deadline, deadline + interval '80 min', zone, false, false, false) ->> 'middleText',
  wanted, zone || ' ' || deadline
)
from (values
  ('2030-03-09 18:00+00'::timestamptz, 'America/Los_Angeles', 'Decide by 10AM'),
  ('2030-03-10 17:00+00', 'America/Los_Angeles', 'Decide by 10AM'),
  ('2030-06-12 13:00+00', 'Asia/Kolkata', 'Decide by 6:30PM'),
  ('2030-06-12 13:00+00', 'Australia/Lord_Howe', 'Decide by 11:30PM')
) as zones (deadline, zone, wanted);
set local timezone = 'Asia/Tokyo';
set local datestyle = 'German';
select is(
  app.button_state('2030-01-01', '2030-06-12 13:30-07', '2030-06-12 15:00-07', 'America/Los_Angeles', false, false, false)
    ->> 'middleText',
  'Decide by 1:30PM', 'the caller''s TimeZone and DateStyle have no say'
);
select is(
  app.button_state(null, now(), now(), 'UTC', true, true, true)::text, null, 'nothing known, nothing said'
);

select * from finish();
rollback;
