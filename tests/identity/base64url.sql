-- base64 for addresses and headers: RFC 4648, 5, without padding and line breaks.

begin;
select plan(8);

select tests.may_call('identity.base64url(bytea)', array[]::text[]);
select is(identity.base64url(bytes), text, quote_literal(text))
from (values
  (''::bytea, ''), ('f', 'Zg'), ('fo', 'Zm8'), ('foo', 'Zm9v'), ('\xfbefff', '--__'),
  (decode(repeat('00', 60), 'hex'), repeat('A', 80))
) as vectors (bytes, text);
select is(identity.base64url(null), null, 'nothing of nothing');

select * from finish();
rollback;
