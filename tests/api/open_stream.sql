-- A stream is authorised on the member's own three channels.

begin;
select plan(12);

select is_definer('api', 'open_stream', 'reads the directory');
select volatility_is('api', 'open_stream', 'volatile', 'will mark the member online');
select function_privs_are('api', 'open_stream', array[]::text[], role, rights, role)
from (values ('anon', array[]::text[]), ('authenticated', array['EXECUTE']), ('service_role', array[]::text[])) as r (role, rights);

select tests.create_member('ann');
select tests.act_as('ann');
select lives_ok('select api.open_stream()', 'Ann opens a stream');
select is(tests.header('X-Accel-Redirect'),
  format('/_stream/session:%s,user:%s,campus:stanford', auth.jwt() ->> 'session_id', tests.member('ann')), 'on her session, herself and her campus');
select tests.act_as('ann', '{"session_id": null}');
select tests.refused('select api.open_stream()', 'PT401', 'session_missing', 'a stream must be endable');
select tests.act_as('ann', '{"session_id": "x,user:00000000-0000-4000-8000-000000000000"}');
select tests.refused('select api.open_stream()', 'PT401', 'session_missing', 'no second channel in a claim');
select tests.act_as(null);
select tests.refused('select api.open_stream()', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.open_stream()', 'PT403', 'wrong_campus', 'another campus''s channel');
select tests.act_as_role('anon');
select throws_ok('select api.open_stream()', '42501', null, 'a stranger');

select * from finish();
rollback;
