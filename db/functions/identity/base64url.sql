-- identity.base64url(p_bytes): base64 of RFC 4648, 5, without padding, as tokens carry it.

create or replace function identity.base64url(p_bytes bytea)
returns text
language sql
immutable
strict
parallel safe
as $function$
  select pg_catalog.translate(pg_catalog.encode(p_bytes, 'base64'), E'+/=\n', '-_')
$function$;

comment on function identity.base64url(bytea) is
'base64url without padding.';

revoke all on function identity.base64url(bytea) from public;
