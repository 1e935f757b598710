-- Places where circles meet are added once, and may get another name.

begin;
select plan(28);

select isnt_definer('app', 'add_meeting_spot', array['text', 'text', 'text'], 'called by whoever may write the table');
select volatility_is('app', 'add_meeting_spot', array['text', 'text', 'text'], 'volatile', 'it writes');
select tests.may_call('app.add_meeting_spot(text, text, text)', '{}');

select tests.create_campus();
select tests.create_campus('mit');
create function tests.spots() returns table (campus_id text, spot_id text, name text, closed boolean) language sql as $$
  select campus_id, spot_id, name, closed_at is not null from app.meeting_spots order by 1, 2
$$;

select is(app.add_meeting_spot('stanford', 'steps', ' Library steps '), 'steps', 'added');
select results_eq('select * from tests.spots()', $$ values ('stanford', 'steps', 'Library steps', false) $$, 'in use, and named without the blanks around it');
select results_eq('select action, details from tests.trail()', $$ values ('spot.added', '{"name": "Library steps", "spotId": "steps"}'::jsonb) $$, 'the trail has it');
select tests.repeats($$ select app.add_meeting_spot('stanford', 'steps', 'Library steps') $$, 'the same again writes nothing');
select is(app.add_meeting_spot('stanford', 'steps', 'Front steps'), 'steps', 'another name');
select results_eq('select name, closed from tests.spots()', $$ values ('Front steps', false) $$, 'takes the place of the first');
update app.meeting_spots set closed_at = now();
select is(app.add_meeting_spot('stanford', 'steps', 'Front steps'), 'steps', 'a spot that was closed');
select results_eq('select name, closed from tests.spots()', $$ values ('Front steps', false) $$, 'is in use again');
select is((select count(*) from tests.trail()), 2::bigint, 'both in the trail');
select is(app.add_meeting_spot('mit', 'steps', 'Killian Court'), 'steps', 'another campus has its own steps');
select is((select count(*) from tests.spots()), 2::bigint, 'which are not these');

select tests.refused(format('select app.add_meeting_spot(%L, %L, %L)', 'stanford', id, name), 'PT422', 'spot_invalid', says)
from (values
  ('Steps', 'S', 'ids are lower case'), ('', 'S', 'an id is not empty'), (null, 'S', 'nor missing'), ('a b', 'S', 'without blanks'), ('-a', 'S', 'and begins with a letter or digit'),
  (repeat('x', 64), 'S', '64 characters are too many'),
  ('ok', '', 'a name is not empty'), ('ok', ' ', 'nor blank'), ('ok', null, 'nor missing'), ('ok', repeat('x', 201), '201 characters are too many'), ('ok', E'a\nb', 'a name has no line breaks')
) as bad (id, name, says);
select is(app.add_meeting_spot('stanford', repeat('x', 63), repeat('x', 200)), repeat('x', 63), '63 and 200 are not');
select tests.refused($$ select app.add_meeting_spot('nowhere', 'steps', 'S') $$, 'PT404', 'campus_not_found', 'a campus must exist');
select tests.refused($$ select app.add_meeting_spot(null, 'steps', 'S') $$, 'PT404', 'campus_not_found', 'and be given');

select * from finish();
rollback;
