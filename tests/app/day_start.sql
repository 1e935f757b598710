-- Where a day begins: double midnights, missing midnights, ordinary ones.

begin;
select plan(20);
set local timezone = 'UTC';

select volatility_is('app', 'day_start', array['text', 'date'], 'immutable', 'follows the zone it is given');
select is_empty($$
  select role from unnest(array['anon', 'authenticated', 'service_role', 'circle27_worker']) as roles (role)
  where has_function_privilege(role, 'app.day_start(text, date)', 'execute')
$$, 'called by app functions only');

select is(app.day_start(zone, day), wanted, says)
from (values
  ('America/Los_Angeles', date '2026-06-12', timestamptz '2026-06-12 07:00+00', 'an ordinary day in summer'),
  ('America/Los_Angeles', '2026-12-12', '2026-12-12 08:00+00', 'and in winter'),
  ('America/Los_Angeles', '2026-03-08', '2026-03-08 08:00+00', 'the day that has 23 hours'),
  ('America/Los_Angeles', '2026-03-09', '2026-03-09 07:00+00', 'and the next'),
  ('America/Los_Angeles', '2026-11-01', '2026-11-01 07:00+00', 'the day that has 25 hours'),
  ('America/Los_Angeles', '2026-11-02', '2026-11-02 08:00+00', 'and the next'),
  ('America/Havana', '2027-11-07', '2027-11-07 04:00+00', 'Havana: the first of a double midnight'),
  ('America/Havana', '2027-11-08', '2027-11-08 05:00+00', 'Havana: the day after'),
  ('America/Havana', '2027-03-14', '2027-03-14 05:00+00', 'Havana: a missing midnight is 01:00'),
  ('Atlantic/Azores', '2026-10-25', '2026-10-25 00:00+00', 'the Azores: the first of a double midnight'),
  ('Atlantic/Azores', '2026-10-26', '2026-10-26 01:00+00', 'the Azores: the day after'),
  ('Asia/Beirut', '2026-03-29', '2026-03-28 22:00+00', 'Beirut: a missing midnight is 01:00'),
  ('America/Santiago', '2026-09-06', '2026-09-06 04:00+00', 'Santiago: a missing midnight is 01:00'),
  ('America/Santiago', '2026-04-05', '2026-04-05 04:00+00', 'Santiago: 23:00 comes twice, midnight once'),
  ('Asia/Kolkata', '2026-06-12', '2026-06-11 18:30+00', 'Kolkata is half an hour off')
) as cases (zone, day, wanted, says);

select ok(app.day_start('Pacific/Apia', '2011-12-30') = app.day_start('Pacific/Apia', '2011-12-31'), 'a day that Apia skipped is empty');

select is_empty($$
  select zone, day
  from unnest(array['America/Havana', 'Atlantic/Azores', 'Asia/Beirut', 'America/Santiago', 'Australia/Lord_Howe', 'America/Nuuk', 'Africa/Cairo']) as zones (zone)
  cross join generate_series(date '2026-01-01', date '2027-12-31', interval '1 day') as days (at)
  cross join lateral (select at::date) as local (day)
  cross join lateral (select app.day_start(zone, day)) as start (instant)
  where (instant at time zone zone)::date <> day or ((instant - interval '1 microsecond') at time zone zone)::date >= day
$$, 'each start is the first instant with its date');

set local timezone = 'America/Havana';
select is(app.day_start('Atlantic/Azores', '2026-10-25'), '2026-10-25 00:00+00', 'whatever the session''s zone');

select * from finish();
rollback;
