-- Refreshing: one step at a time; an old token ends the session, an invented one ends nothing.

begin;
select plan(44);

select tests.may_call('identity.refresh_session(text, timestamptz)', array[]::text[]);
select is_definer('identity', 'refresh_session', 'the api has no right on the tables');

select tests.create_member('ann');
create table tests.tokens (n integer, answer jsonb);
insert into tests.tokens values (0, tests.signed_in('ann@stanford.edu'));
create function tests.token(p_n integer)
returns text
language sql
as $$ select answer ->> 'refreshToken' from tests.tokens where n = p_n $$;
create function tests.refreshes(p_token text, p_later interval)
returns jsonb
language sql
as $$ select identity.refresh_session(p_token, tests.noon(p_later)) $$;
create function tests.session()
returns identity.sessions
language sql
as $$ select sessions from identity.sessions where session_id = (select (answer ->> 'sessionId')::uuid from tests.tokens where n = 0) $$;

-- Rotation.
select matches(tests.token(0), '^[0-9a-f-]{36}\.0\.[A-Za-z0-9_-]{43}$', 'a refresh token says which session and the how-manieth');
insert into tests.tokens values (1, tests.refreshes(tests.token(0), '1 h'));
select is(split_part(tests.token(1), '.', 2), '1', 'the next one');
select is(answer ->> 'sessionId', (tests.session()).session_id::text, 'of the same session') from tests.tokens where n = 1;
select is((tests.token_part(answer ->> 'accessToken') ->> 'iat')::bigint, extract(epoch from tests.noon('1 h'))::bigint, 'with a fresh access token')
from tests.tokens where n = 1;
select results_eq(
  $$ select (s).generation, (s).created_at, (s).renewed_at, (s).expires_at from tests.session() as s $$,
  $$ values (1, tests.noon(), tests.noon('1 h'), tests.noon('721 h')) $$, 'the session lives on'
);

-- Again, as the answer got lost: within ten seconds the same, and nothing is written.
select tests.repeats($$ select tests.refreshes(tests.token(0), '01:00:09.999999') $$, 'the token before, within ten seconds');
select is(tests.refreshes(tests.token(0), '01:00:09.999999') ->> 'refreshToken', tests.token(1), 'gives what the first gave');
select is((tests.session()).renewed_at, tests.noon('1 h'), 'and no longer window');

-- Reuse.
savepoint lively;
select tests.denied($$ select tests.refreshes(tests.token(0), '01:00:10') $$, '401', 'refresh_token_reused', 'at ten seconds it was used before');
select is((tests.session()).ended_at, tests.noon('01:00:10'), 'the session is over');
select tests.denied($$ select tests.refreshes(tests.token(1), '01:00:11') $$, '401', 'session_over', 'for the newest token, too');
select tests.denied($$ select tests.refreshes(tests.token(0), '01:00:12') $$, '401', 'session_over', 'and for the old one');
select results_eq(
  $$ select action, member from tests.trail() where action like 'session.%' and action <> 'session.begun' $$,
  $$ values ('session.reused', 'ann') $$, 'once in the trail'
);
select results_eq(
  $$ select channel, event, payload from tests.told() where channel like 'session:%' $$,
  $$ select 'session:' || (tests.session()).session_id, 'session', '{"over": true}'::jsonb $$, 'and its stream is told'
);
rollback to lively;
insert into tests.tokens values (2, tests.refreshes(tests.token(1), '01:00:01'));
select tests.denied($$ select tests.refreshes(tests.token(0), '01:00:02') $$, '401', 'refresh_token_reused', 'two steps back is reuse at once');
rollback to lively;

-- Other sessions of the member are untouched by a reuse.
insert into tests.tokens values (9, tests.signed_in('ann@stanford.edu', tests.noon('1 h')));
select tests.refreshes(tests.token(0), '2 h');
select is(tests.refreshes(tests.token(9), '2 h') ->> 'details', null, 'another session of the member lives on');
rollback to lively;

-- Never given out: proves nothing, ends nothing.
select tests.denied(format('select tests.refreshes(%L, %L)', token, '2 h'), '401', 'session_over', name)
from (values
  ('null', null), ('nothing', ''), ('a word', 'token'),
  ('another generation', regexp_replace(tests.token(1), '\.1\.', '.0.')),
  ('a generation ahead', regexp_replace(tests.token(1), '\.1\.', '.2.')),
  ('a generation written otherwise', regexp_replace(tests.token(1), '\.1\.', '.01.')),
  ('a huge generation', regexp_replace(tests.token(1), '\.1\.', '.9999999999.')),
  ('another session', gen_random_uuid() || substr(tests.token(1), 37)),
  ('another last letter', left(tests.token(1), -1) || case right(tests.token(1), 1) when 'A' then 'B' else 'A' end),
  ('no hash', regexp_replace(tests.token(1), '[^.]*$', '')),
  ('a blank after it', tests.token(1) || ' '), ('a line after it', tests.token(1) || E'\n'),
  ('capitals', upper(tests.token(1))),
  ('an access token', (select answer ->> 'accessToken' from tests.tokens where n = 1))
) as bad (name, token);
select is((tests.session()).ended_at, null, 'all of which end nothing');
delete from identity.keys where purpose = 'refresh';
select tests.refused($$ select tests.refreshes(tests.token(1), '2 h') $$, 'PT503', 'login_unavailable', 'without a key no token is right');
rollback to lively;

-- Idle: 720 hours after the last refresh. Less than a second before the end there is no token so short.
select tests.denied($$ select tests.refreshes(tests.token(1), '720:59:59.000001') $$, '401', 'session_over', 'idle for too long');
select is((tests.session()).ended_at, null, 'which is no reuse');
select is(tests.refreshes(tests.token(1), '720:59:59') ->> 'details', null, 'a moment earlier it goes on');
rollback to lively;

-- However busy: 8760 hours.
update identity.sessions set expires_at = tests.noon('8760 h'), renewed_at = tests.noon('8750 h');
insert into tests.tokens values (3, tests.refreshes(tests.token(1), '8759:59:59'));
select is((tests.session()).expires_at, tests.noon('8760 h'), 'the end stays where it is');
select is((answer ->> 'expiresIn')::int, 1, 'and no access token outlives it') from tests.tokens where n = 3;
select tests.denied($$ select tests.refreshes(tests.token(3), '8759:59:59.000001') $$, '401', 'session_over', 'then it is over');
rollback to lively;
update identity.settings set session_idle_life = '1 h', session_life = '2 h';
select tests.denied($$ select tests.refreshes(tests.token(1), '01:59:59.1') $$, '401', 'session_over', 'lives that were made shorter count at once');
rollback to lively;

-- The server's clock was set back.
select is(tests.refreshes(tests.token(1), '-1 min') ->> 'details', null, 'a clock that was set back stops nobody');
select is((tests.session()).renewed_at, tests.noon('1 h'), 'and turns nothing back');
rollback to lively;

-- What the token says is as the member is now.
update app.users set tier = 'pro';
select is(tests.token_part(tests.refreshes(tests.token(1), '2 h') ->> 'accessToken') ->> 'tier', 'pro', 'a new tier is in the next token');

select * from finish();
rollback;
