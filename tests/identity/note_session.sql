-- A session of another issuer becomes known, so that it can be ended.

begin;
select plan(5);

select tests.may_call('identity.note_session(text, uuid, uuid, timestamptz)', array[]::text[]);
select tests.create_member('ann');
select tests.create_member('bob');
create table tests.made as select gen_random_uuid() as session_id;

select lives_ok(format('select identity.note_session(%L, %L, %L, tests.noon())', 'stanford', tests.member('ann'), session_id), 'noted') from tests.made;
select results_eq(
  $$ select user_id, created_at, expires_at, ended_at from identity.sessions $$,
  $$ select tests.member('ann'), tests.noon(), tests.noon(), null::timestamptz $$, 'as the member''s'
);
select tests.repeats(format('select identity.note_session(%L, %L, %L, tests.noon(%L))', 'stanford', tests.member('ann'), session_id, '1 h'), 'known already')
from tests.made;
select tests.refused(
  format('select identity.note_session(%L, %L, %L, tests.noon())', 'stanford', tests.member('bob'), session_id), 'PT403', 'not_yours', 'Bob has no part in it'
) from tests.made;

select * from finish();
rollback;
