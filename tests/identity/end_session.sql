-- A session ends once: its stream is told, the trail knows.

begin;
select plan(7);

select tests.may_call('identity.end_session(uuid, text, timestamptz)', array[]::text[]);
select tests.create_member('ann');
create table tests.made as select identity.begin_session('stanford', tests.member('ann'), tests.noon()) as session_id;
select tests.trail();

select is(identity.end_session(session_id, 'session.ended', tests.noon('1 s')), true, 'ended') from tests.made;
select is((select ended_at from identity.sessions), tests.noon('1 s'), 'then');
select results_eq(
  $$ select action, member, details from tests.trail() $$,
  $$ select 'session.ended', 'ann', jsonb_build_object('sessionId', session_id) from tests.made $$, 'in the trail'
);
select results_eq(
  $$ select channel, event from tests.told() $$, $$ select 'session:' || session_id, 'session' from tests.made $$, 'and its stream is told'
);
select is(
  (select identity.end_session(session_id, 'session.ended', tests.noon('2 s'))::text || (select count(*) from tests.trail()) from tests.made),
  'false0', 'it ends once'
);
select is(identity.end_session(gen_random_uuid(), 'session.ended', tests.noon()), false, 'one that nobody knows does not end');

select * from finish();
rollback;
