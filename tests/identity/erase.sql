-- Signed out everywhere, and no trace of where from. Others stay as they are. The race with signing in: tests/concurrency.

begin;
select plan(10);

select is_definer('identity', 'erase', array['uuid', 'text', 'timestamp with time zone'], 'the app owner sees no table of identity');
select tests.may_call('identity.erase(uuid, text, timestamptz)', '{}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
create table tests.made as
select name, n, gen_random_uuid() as session_id from unnest('{ann,ben}'::text[]) as names (name) cross join generate_series(1, 3) as n;
insert into identity.sessions (session_id, campus_id, user_id, created_at, renewed_at, expires_at, ended_at, user_agent, address)
select session_id, 'stanford', tests.member(name), '2030-01-01', '2030-01-01', '2031-01-01', case n when 3 then timestamptz '2030-02-01' end, 'Firefox', '192.0.2.1' from tests.made;
insert into identity.login_codes (email, requested_at, allowance) select name || '@stanford.edu', '2030-01-01', 5 from tests.made where n = 1;
insert into identity.mails (kind, recipient, created_at, expires_at, next_try_at)
select 'login_code', name || '@stanford.edu', '2030-01-01', '2030-01-01', '2030-01-01' from tests.made where n = 1;

select identity.erase(tests.member('ann'), 'ann@stanford.edu', '2030-03-01');
select results_eq($$ select n, ended_at, user_agent, address from tests.made inner join identity.sessions using (session_id) where name = 'ann' order by n $$,
  $$ values (1, timestamptz '2030-03-01', null::text, null::text), (2, '2030-03-01', null, null), (3, '2030-02-01', null, null) $$,
  'each session of hers is over, the one before stays as it was, and none says where it was');
select is((select count(*) from identity.sessions where ended_at is null and address = '192.0.2.1'), 2::bigint, 'Ben''s two go on');
select results_eq('select email from identity.login_codes', $$ values ('ben@stanford.edu') $$, 'no code of hers is left');
select results_eq('select recipient from identity.mails', $$ values ('ben@stanford.edu') $$, 'nor a mail');
select results_eq($$ select made.n, told.event, told.payload from tests.told() as told inner join tests.made on told.channel = 'session:' || made.session_id order by n $$,
  $$ values (1, 'session', '{"over": true}'::jsonb), (2, 'session', '{"over": true}') $$, 'their streams hear of it');
select is((select count(*) from tests.trail() where action = 'session.ended' and member = 'ann'), 2::bigint, 'and the trail');
select identity.erase(tests.member('ann'), 'ann@stanford.edu', '2030-04-01');
select is_empty('select from tests.told() union all select from tests.trail()', 'again: nothing to tell');
select lives_ok($$ select identity.erase(null, null, '2030-04-01') $$, 'nobody has nothing');

select * from finish();
rollback;
