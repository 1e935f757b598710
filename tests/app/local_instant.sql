-- One rule for local times; app.slot_instants has the daylight-saving cases.

begin;
select plan(8);
set local timezone = 'UTC';

select volatility_is('app', 'local_instant', array['text', 'timestamp without time zone'], 'immutable', 'follows the zone it is given');
select is_empty($$
  select role from unnest(array['anon', 'authenticated', 'service_role', 'circle27_worker']) as roles (role)
  where has_function_privilege(role, 'app.local_instant(text, timestamp)', 'execute')
$$, 'called by app functions only');

select is(app.local_instant(zone, local), wanted, says)
from (values
  ('America/Los_Angeles', timestamp '2026-06-12 14:00', timestamptz '2026-06-12 21:00+00', 'an ordinary time'),
  ('America/Los_Angeles', '2026-03-08 02:30', '2026-03-08 10:30+00', 'a missing time counts with the offset before'),
  ('America/Los_Angeles', '2026-11-01 01:30', '2026-11-01 08:30+00', 'a double time is the first one'),
  ('America/Los_Angeles', '2026-11-01 14:00', '2026-11-01 22:00+00', 'a time that comes once on that day'),
  ('Pacific/Apia', '2011-12-30 14:00', '2011-12-31 00:00+00', 'Apia: a time of a skipped day')
) as cases (zone, local, wanted, says);

set local timezone = 'Pacific/Apia';
select is(app.local_instant('America/Havana', '2027-11-07 00:30'), '2027-11-07 04:30+00', 'whatever the session''s zone');

select * from finish();
rollback;
