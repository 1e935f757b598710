-- A stream is authorised on the member's own three channels.

begin;
select plan(17);

select is_definer('api', 'open_stream', 'reads the directory');
select volatility_is('api', 'open_stream', 'volatile', 'marks the member online');
select function_privs_are('api', 'open_stream', array[]::text[], role, rights, role)
from (values ('anon', array[]::text[]), ('authenticated', array['EXECUTE']), ('service_role', array[]::text[])) as r (role, rights);

select tests.create_member('ann');
select tests.act_as('ann');
select lives_ok('select api.open_stream()', 'Ann opens a stream');
select is(tests.header('X-Accel-Redirect'),
  format('/_stream/session:%s,user:%s,campus:stanford', auth.jwt() ->> 'session_id', tests.member('ann')), 'on her session, herself and her campus');
select tests.act_as_nobody();
select is_empty('select from events.streams', 'who calls the function as such is not online');

select tests.act_as('ann');
select set_config('tests.claims', auth.jwt()::text, true);
select set_config('request.headers', format('{"x-stream-id": "%s", "x-stream-gateway": "here", "x-stream-process": "7"}', md5('a')), true);
select lives_ok('select api.open_stream()', 'the gateway says which of its requests it is');
select lives_ok('select api.open_stream()', 'and may ask again');
select tests.act_as_nobody();
select results_eq(
  $$ select stream_id, user_id, gateway, process_id from events.streams $$,
  $$ values (md5('a'), tests.member('ann'), 'here', 7) $$, 'with that she is online, once');
select results_eq(
  $$ select session_id::text, extract(epoch from expires_at)::bigint from events.streams $$,
  $$ select claims ->> 'session_id', (claims ->> 'exp')::bigint from (select current_setting('tests.claims')::jsonb as claims) as token $$, 'in her session, as long as her token lives');
select set_config('request.headers', '', true);

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
