-- Local times to instants: daylight saving, missing hours, double hours, odd zones.

begin;
select plan(20);
set local timezone = 'UTC';

select volatility_is('app', 'slot_instants', array['text', 'date', 'time without time zone[]'], 'immutable', 'follows the zone it is given');

create temporary table cases (zone text, day date, times time[], wanted timestamptz[], says text);
insert into cases values
  ('America/Los_Angeles', '2026-03-07', '{11:00}', '{2026-03-07 19:00+00}', '11AM the day before spring'),
  ('America/Los_Angeles', '2026-03-08', '{11:00}', '{2026-03-08 18:00+00}', '11AM on the day of the change in spring'),
  ('America/Los_Angeles', '2026-10-31', '{11:00}', '{2026-10-31 18:00+00}', '11AM the day before autumn'),
  ('America/Los_Angeles', '2026-11-01', '{11:00}', '{2026-11-01 19:00+00}', '11AM on the day of the change in autumn'),
  ('America/Los_Angeles', '2026-03-08', '{02:30}', '{2026-03-08 10:30+00}', 'a missing 02:30 is 03:30 after the change'),
  ('America/Los_Angeles', '2026-11-01', '{01:30}', '{2026-11-01 08:30+00}', 'a double 01:30 is the first one'),
  ('America/Los_Angeles', '2026-11-01', '{02:00}', '{2026-11-01 10:00+00}', '02:00 after the double hour comes once'),
  ('America/Los_Angeles', '2026-11-01', '{00:30}', '{2026-11-01 07:30+00}', '00:30 before the double hour comes once'),
  ('America/Los_Angeles', '2026-03-08', '{02:30,03:30}', '{2026-03-08 10:30+00}', 'two times on one instant are one slot'),
  ('America/Los_Angeles', '2028-02-29', '{14:00}', '{2028-02-29 22:00+00}', 'the leap day'),
  ('Europe/London', '2026-03-29', '{01:30,12:00}', '{2026-03-29 01:30+00,2026-03-29 11:00+00}', 'London in spring'),
  ('Europe/London', '2026-10-25', '{01:30,12:00}', '{2026-10-25 00:30+00,2026-10-25 12:00+00}', 'London in autumn'),
  ('Asia/Kolkata', '2026-06-12', '{14:00}', '{2026-06-12 08:30+00}', 'Kolkata is half an hour off'),
  ('Australia/Lord_Howe', '2026-10-04', '{02:15}', '{2026-10-03 15:45+00}', 'Lord Howe: a missing 02:15 is 02:45'),
  ('Australia/Lord_Howe', '2026-04-05', '{01:45}', '{2026-04-04 14:45+00}', 'Lord Howe: a double 01:45 is the first one'),
  ('Australia/Lord_Howe', '2026-04-05', '{02:00}', '{2026-04-04 15:30+00}', 'Lord Howe: 02:00 comes once'),
  ('America/Havana', '2027-11-07', '{00:00,00:30}', '{2027-11-07 04:00+00,2027-11-07 04:30+00}', 'Havana: a double midnight is the first one'),
  ('UTC', '2026-06-12', '{17:00,11:00,14:00}', '{2026-06-12 11:00+00,2026-06-12 14:00+00,2026-06-12 17:00+00}', 'in order'),
  ('UTC', '2026-06-12', '{}', '{}', 'no times, no slots');

select is(array(select app.slot_instants(zone, day, times)), wanted, says)
from cases;

select * from finish();
rollback;
