-- HMAC-SHA256 beside the vectors of RFC 4231; keys of every length around one block.

begin;
select plan(12);

select tests.may_call('identity.hmac_sha256(bytea, bytea)', array[]::text[]);
select volatility_is('identity', 'hmac_sha256', array['bytea', 'bytea'], 'immutable', 'it is arithmetic');

select is(encode(identity.hmac_sha256(key, message), 'hex'), mac, name)
from (values
  ('RFC 4231, 1: a key of 20 bytes', decode(repeat('0b', 20), 'hex'), 'Hi There'::bytea,
   'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'),
  ('2: a key shorter than the hash', 'Jefe'::bytea, 'what do ya want for nothing?'::bytea,
   '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
  ('3: key and message longer than a block', decode(repeat('aa', 20), 'hex'), decode(repeat('dd', 50), 'hex'),
   '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'),
  ('4: a key of 25 bytes', decode('0102030405060708090a0b0c0d0e0f10111213141516171819', 'hex'), decode(repeat('cd', 50), 'hex'),
   '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b'),
  ('6: a key of 131 bytes is hashed first', decode(repeat('aa', 131), 'hex'),
   'Test Using Larger Than Block-Size Key - Hash Key First'::bytea,
   '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'),
  ('7: and so is a long message', decode(repeat('aa', 131), 'hex'),
   ('This is a test using a larger than block-size key and a larger than block-size data. '
    || 'The key needs to be hashed before being used by the HMAC algorithm.')::bytea,
   '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2')
) as vectors (name, key, message, mac);
select is(
  left(encode(identity.hmac_sha256(decode(repeat('0c', 20), 'hex'), 'Test With Truncation'), 'hex'), 32),
  'a3b6167473100ee06e0c796c2955552b', '5: cut to 128 bits'
);
select is(
  encode(identity.hmac_sha256('', ''), 'hex'), 'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad',
  'no key and no message'
);
select isnt(
  identity.hmac_sha256(decode(repeat('aa', 64), 'hex'), 'x'), identity.hmac_sha256(sha256(decode(repeat('aa', 64), 'hex')), 'x'),
  'a key of exactly one block is taken as it is'
);
select is(
  identity.hmac_sha256(decode(repeat('aa', 65), 'hex'), 'x'), identity.hmac_sha256(sha256(decode(repeat('aa', 65), 'hex')), 'x'),
  'one byte more, and it is hashed'
);

select * from finish();
rollback;
