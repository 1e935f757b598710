-- Whatever a member writes waits for what they wrote before, and for the end of the account. Waiting: tests/concurrency.

begin;
select plan(6);

select isnt_definer('app', 'lock_member', array['uuid'], 'called from definers only');
select tests.may_call('app.lock_member(uuid)', '{}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ben');
select lives_ok($$ select app.lock_member(tests.member('ann')) $$, 'Ann may write');
select is((
  select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory' and mode = 'ExclusiveLock'
    and (classid::bigint << 32 | objid::bigint) = app.lock_key('member', tests.member('ann')::text)
), 1::bigint, 'alone');
select tests.refused($$ select app.lock_member(tests.member('ben')) $$, 'PT401', 'account_deleted', 'Ben is gone');
select lives_ok($$ select app.lock_member(gen_random_uuid()) $$, 'who is nobody is told so by who calls');

select * from finish();
rollback;
