-- A campus is added once; nothing about it is changed silently.

begin;
select plan(18);

select is(app.add_campus('north', 'North', 'Europe/Oslo', array['North.edu', 'n.edu']), 'north', 'added');
select is(app.add_campus('north', 'North', 'Europe/Oslo', array['n.edu', 'north.edu']), 'north', 'the same again changes nothing');
select results_eq($$ select domain from app.campus_domains where campus_id = 'north' order by 1 $$, array['n.edu', 'north.edu'], 'domains are lower case');
select is((select slot_times from app.campuses where campus_id = 'north'), '{11:00,14:00,17:00}'::time[], 'slots at 11AM, 2PM and 5PM');
select is((select count(*) from audit.log where action = 'campus.added'), 1::bigint, 'once in the trail');

select tests.refused($$ select app.add_campus('north', 'North', 'Europe/Paris', array['n.edu', 'north.edu']) $$, 'PT409', 'campus_exists', 'another zone');
select tests.refused($$ select app.add_campus('north', 'North', 'Europe/Oslo', array['n.edu']) $$, 'PT409', 'campus_exists', 'other domains');
select tests.refused($$ select app.add_campus('south', 'South', 'Europe/Oslo', array['n.edu']) $$, 'PT409', 'email_domain_taken', 'a domain belongs to one campus');
select is_empty($$ select from app.campuses where campus_id = 'south' $$, 'and nothing is left of the attempt');

select tests.refused(format('select app.add_campus(%L, %L, %L, %L, %L)', id, name, zone, domains, times), 'PT422', 'campus_invalid', says)
from (values
  ('No', 'N', 'UTC', '{x.edu}', '{11:00}', 'ids are lower case'),
  ('', 'N', 'UTC', '{x.edu}', '{11:00}', 'an id is not empty'),
  ('x', ' ', 'UTC', '{x.edu}', '{11:00}', 'a name is not blank'),
  ('x', 'N', 'Mars/Olympus', '{x.edu}', '{11:00}', 'a zone exists'),
  ('x', 'N', 'PST8', '{x.edu}', '{11:00}', 'a zone is a name, not a rule'),
  ('x', 'N', 'UTC', '{}', '{11:00}', 'there is a domain'),
  ('x', 'N', 'UTC', '{x edu}', '{11:00}', 'a domain looks like one'),
  ('x', 'N', 'UTC', '{x.edu}', '{}', 'there is a slot time')
) as bad (id, name, zone, domains, times, says);

-- Repeated while there are others: their domains are not its own.
select app.add_campus('oak', 'Oak', 'UTC', '{oak.edu}', '{11:00}'), app.add_campus('elm', 'Elm', 'UTC', '{elm.edu}', '{11:00}');
select is(app.add_campus('oak', 'Oak', 'UTC', '{oak.edu}', '{11:00}'), 'oak', 'beside another campus it may be repeated, too');

select * from finish();
rollback;
