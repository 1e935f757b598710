-- Before each request: malformed tokens are refused with 401, never with a cast error; TimeZone is set.

begin;
select plan(60);

select isnt_definer('app', 'pre_request', 'runs as the request''s role');
select function_privs_are('app', 'pre_request', array[]::text[], role, array['EXECUTE'], role || ' may call it')
from unnest(array['anon', 'authenticated', 'service_role']) as roles (role);

select tests.create_member('ann');
select tests.create_member('ben', 'london');
update app.campuses set time_zone = 'Europe/London' where campus_id = 'london';

select tests.act_as('ann');
select lives_ok('select app.pre_request()', 'a complete token passes');
select is(current_setting('TimeZone'), 'America/Los_Angeles', 'and sets its zone');
select tests.act_as('ben', '{"tz": null}');
select lives_ok('select app.pre_request()', 'a token without tz passes');
select is(current_setting('TimeZone'), 'Europe/London', 'with the zone of the member''s campus');
select tests.act_as(null, '{"sub": "00000000-0000-4000-8000-000000000000"}');
select lives_ok('select app.pre_request()', 'a member that nobody knows passes here; the functions refuse them');
select is(current_setting('TimeZone'), 'UTC', 'in UTC');

select tests.act_as('ann', '{"aud": ["a", "b"], "session_id": null, "exp": 1.5e9, "extra": {"x": [1, null]}}');
select lives_ok('select app.pre_request()', 'other issuers'' tokens pass: several audiences, no session, more claims');
select tests.act_as('ann');
select set_config('request.jwt.claims',
  jsonb_set(current_setting('request.jwt.claims')::jsonb, '{sub}', to_jsonb(upper(auth.uid()::text)))::text, true);
select lives_ok('select app.pre_request()', 'an upper-case uuid is a uuid');

-- Every malformed claim.
select tests.act_as_nobody();
create table tests.changes (change jsonb);
grant select on tests.changes to public;
insert into tests.changes values
  ('{"exp": null}'), ('{"exp": "4000000000"}'), ('{"exp": true}'), ('{"exp": []}'), ('{"exp": {}}'),
  ('{"aud": null}'), ('{"aud": ""}'), ('{"aud": []}'), ('{"aud": {}}'), ('{"aud": 7}'), ('{"aud": false}'),
  ('{"sub": null}'), ('{"sub": ""}'), ('{"sub": "ann"}'), ('{"sub": 7}'), ('{"sub": {"a": 1}}'), ('{"sub": ["x"]}'),
  ('{"sub": "00000000-0000-4000-8000-00000000000"}'),
  ('{"sub": "00000000-0000-4000-8000-0000000000000"}'),
  ('{"sub": "{00000000-0000-4000-8000-000000000000}"}'),
  ('{"sub": "00000000-0000-4000-8000-000000000000\n"}'),
  ('{"sub": " 00000000-0000-4000-8000-000000000000"}'),
  ('{"session_id": "x"}'), ('{"session_id": ""}'), ('{"session_id": 7}'), ('{"session_id": "a,user:b"}'),
  ('{"tz": ""}'), ('{"tz": "Mars/Olympus"}'), ('{"tz": "+5"}'), ('{"tz": "XYZ3"}'), ('{"tz": 5}'), ('{"tz": []}'),
  ('{"tz": "America/Los_Angeles\r\nX-Accel-Redirect: /x"}'), ('{"tz": "../../etc/passwd"}'), ('{"tz": "posixrules"}');

select tests.refused(
  format('with acted as materialized (select tests.act_as(%L, %L)) select app.pre_request() from acted', 'ann', change),
  'PT401', 'token_invalid', 'refused: ' || change::text
)
from tests.changes;

select tests.act_as('ann');
select set_config('request.jwt.claims', replace(current_setting('request.jwt.claims'), '"user"', '"\u0000"'), true);
select tests.refused('select app.pre_request()', 'PT401', 'token_invalid', 'refused: a NUL, which no jsonb can hold');
select set_config('request.jwt.claims', '', true);
select tests.refused('select app.pre_request()', 'PT401', 'token_invalid', 'refused: a member''s role without a token');

-- Sessions.
select tests.act_as_nobody();
create table tests.made as select (tests.signed_in('ann@stanford.edu') ->> 'sessionId')::uuid as session_id;
grant select on tests.made to public;
select tests.act_as('ann', jsonb_build_object('session_id', session_id)) from tests.made;
select lives_ok('select app.pre_request()', 'a session that goes on passes');
select tests.act_as_nobody();
select identity.end_session(session_id, 'session.ended', tests.noon()) from tests.made;
select tests.act_as('ann', jsonb_build_object('session_id', session_id)) from tests.made;
select tests.refused('select app.pre_request()', 'PT401', 'session_over', 'refused: a session that was ended');
select tests.act_as('ann', jsonb_build_object('session_id', upper(session_id::text))) from tests.made;
select tests.refused('select app.pre_request()', 'PT401', 'session_over', 'however it is written');
select tests.act_as('ben', jsonb_build_object('session_id', session_id)) from tests.made;
select tests.refused('select app.pre_request()', 'PT401', 'session_over', 'and whoever says it is theirs');
select tests.act_as('ann', '{"session_id": null}');
select lives_ok('select app.pre_request()', 'a token without a session passes');
select set_config('request.jwt.claims', (auth.jwt() || '{"session_id": null}')::text, true);
select lives_ok('select app.pre_request()', 'and one whose session is null');

select tests.act_as_role('anon');
select lives_ok('select app.pre_request()', 'nobody passes');
select set_config('request.jwt.claims', '', true);
select lives_ok('select app.pre_request()', 'even without claims');
select is(current_setting('TimeZone'), 'UTC', 'in UTC, whatever the pooled connection had before');
select tests.act_as_role('service_role');
select lives_ok('select app.pre_request()', 'a server''s key passes with exp alone');
select set_config('request.jwt.claims', '{"role": "service_role"}', true);
select tests.refused('select app.pre_request()', 'PT401', 'token_invalid', 'a server''s key must end some day');

select * from finish();
rollback;
