-- Keys that sign access tokens: the one added last signs; nothing silently changes.

begin;
select plan(14);

select tests.may_call('identity.add_key(text, bytea)', array[]::text[]);
select table_privs_are('identity', 'keys', role, array[]::text[], role || ' reads no key')
from unnest(array['circle27_owner', 'circle27_worker', 'service_role']) as roles (role);

-- The key that signs now.
create function tests.signs()
returns text
language sql
as $$ select tests.token_part(identity.sign_token('{}'), 1) ->> 'kid' $$;

select lives_ok($$ select identity.add_key('a-0001', decode(repeat('aa', 32), 'hex')) $$, 'a key of 32 bytes');
select is(tests.signs(), 'a-0001', 'signs');
select identity.add_key('b-0001', decode(repeat('bb', 99), 'hex'));
select is(tests.signs(), 'b-0001', 'and then a newer one');
select tests.repeats($$ select identity.add_key('b-0001', decode(repeat('bb', 99), 'hex')) $$, 'adding it again changes nothing');
select identity.add_key('a-0001', decode(repeat('aa', 32), 'hex'));
select is(tests.signs(), 'a-0001', 'adding the former again puts it to use again');

select tests.refused($$ select identity.add_key('a-0001', decode(repeat('ab', 32), 'hex')) $$, 'PT409', 'key_exists', 'another secret under a known name');
select tests.refused(
  format('select identity.add_key(%L, %L)', 'refresh-1', (select secret from identity.keys where key_id = 'refresh-1')),
  'PT409', 'key_exists', 'the key for refresh tokens signs nothing else'
);
select tests.refused($$ select identity.add_key('short', decode(repeat('aa', 31), 'hex')) $$, 'PT422', 'key_invalid', 'a byte too short');
select tests.refused($$ select identity.add_key('a b', decode(repeat('aa', 32), 'hex')) $$, 'PT422', 'key_invalid', 'a name with a blank');
select tests.refused($$ select identity.add_key(null, null) $$, 'PT422', 'key_invalid', 'nothing');

select * from finish();
rollback;
