-- The hash of codes and refresh tokens: keyed, and never a null for want of a key.

begin;
select plan(8);

select tests.may_call('identity.secret_hash(text)', array[]::text[]);
select function_privs_are('identity', 'secret_hash', array['text'], 'circle27_owner', array[]::text[], 'the owner of app makes none');
select is(
  identity.secret_hash('x'), identity.hmac_sha256((select secret from identity.keys where purpose = 'refresh'), 'x'),
  'HMAC with the key for refresh tokens'
);
select isnt(identity.secret_hash('x'), identity.secret_hash('y'), 'another text, another hash');

select identity.add_key('other', decode(repeat('11', 32), 'hex'));
select isnt(identity.secret_hash('x'), identity.hmac_sha256(decode(repeat('11', 32), 'hex'), 'x'), 'never with a key for access tokens');

insert into identity.keys (key_id, purpose, secret) values ('refresh-2', 'refresh', decode(repeat('22', 32), 'hex'));
select is(identity.secret_hash('x'), identity.hmac_sha256(decode(repeat('22', 32), 'hex'), 'x'), 'the newest counts');

select is(identity.secret_hash(null), null, 'nothing of nothing');
delete from identity.keys where purpose = 'refresh';
select tests.refused($$ select identity.secret_hash('x') $$, 'PT503', 'login_unavailable', 'without a key');

select * from finish();
rollback;
