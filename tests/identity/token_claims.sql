-- The claims of a member's token: all that design asks for, from the tables, in real time.

begin;
select plan(12);

select function_privs_are('identity', 'token_claims', array['uuid', 'interval', 'uuid', 'timestamptz'], role, array[]::text[], role || ' makes no tokens')
from unnest(array['anon', 'authenticated', 'service_role', 'circle27_owner', 'circle27_worker']) as roles (role);

select tests.create_member('ann', 'stanford', 'pro');
select tests.clock('12:00');
select results_eq(
  $$ select k from jsonb_object_keys(identity.token_claims(tests.member('ann'))) as keys (k) order by 1 $$,
  $$ select unnest(array['aud', 'campus_id', 'exp', 'iat', 'role', 'session_id', 'sub', 'tier', 'tz']) order by 1 $$, 'every claim');
select is(
  identity.token_claims(tests.member('ann')) - array['exp', 'iat', 'session_id'],
  jsonb_build_object('aud', 'authenticated', 'role', 'authenticated', 'sub', tests.member('ann'), 'campus_id', 'stanford',
    'tier', 'pro', 'tz', 'America/Los_Angeles'), 'from the tables');
select is((c ->> 'exp')::int - (c ->> 'iat')::int, 90, 'lives as long as asked') from identity.token_claims(tests.member('ann'), '90 s') as c;
select cmp_ok(abs((c ->> 'iat')::numeric - extract(epoch from clock_timestamp())), '<', 5.0, 'in real time, not the app clock''s') from identity.token_claims(tests.member('ann')) as c;
select isnt(identity.token_claims(tests.member('ann')) ->> 'session_id', identity.token_claims(tests.member('ann')) ->> 'session_id', 'each its own session');
select tests.refused($$ select identity.token_claims(gen_random_uuid()) $$, 'PT404', 'member_not_found', 'nobody');
select tests.refused($$ select identity.token_claims(tests.member('ann'), '0') $$, 'PT422', 'ttl_invalid', 'no time');

select * from finish();
rollback;
