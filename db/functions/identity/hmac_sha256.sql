-- identity.hmac_sha256(p_key, p_message): HMAC of RFC 2104 over the server's own sha256().
--
-- pgcrypto has one, too; but where it is installed, and whether, differs from server to server, and a definer must
-- name its schema. Tested with the vectors of RFC 4231.

create or replace function identity.hmac_sha256(p_key bytea, p_message bytea)
returns bytea
language plpgsql
immutable
strict
parallel safe
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_key   bytea := case when octet_length(p_key) > 64 then sha256(p_key) else p_key end;
  v_inner bytea := decode(repeat('36', 64), 'hex');
  v_outer bytea := decode(repeat('5c', 64), 'hex');
begin
  for v_at in 0 .. octet_length(v_key) - 1 loop
    v_inner := set_byte(v_inner, v_at, get_byte(v_inner, v_at) # get_byte(v_key, v_at));
    v_outer := set_byte(v_outer, v_at, get_byte(v_outer, v_at) # get_byte(v_key, v_at));
  end loop;
  return sha256(v_outer || sha256(v_inner || p_message));
end;
$function$;

comment on function identity.hmac_sha256(bytea, bytea) is
'HMAC-SHA256 (RFC 2104): 32 bytes.';

revoke all on function identity.hmac_sha256(bytea, bytea) from public;
