-- identity.sign_token(p_claims): a signed JWT (HS256) of these claims, with the newest key.
--
-- PostgREST holds the same key, and checks what this makes.

create or replace function identity.sign_token(p_claims jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_key     record;
  v_signed  text;
begin
  select keys.key_id, keys.secret
  into v_key
  from identity.keys
  where keys.purpose = 'access'
  order by keys.created_at desc
  limit 1;

  if not found then
    perform app.refuse('login_unavailable');
  end if;

  v_signed := identity.base64url(
    convert_to(jsonb_build_object('alg', 'HS256', 'typ', 'JWT', 'kid', v_key.key_id)::text, 'UTF8')
  ) || '.' || identity.base64url(convert_to(p_claims::text, 'UTF8'));
  return v_signed || '.' || identity.base64url(identity.hmac_sha256(v_key.secret, convert_to(v_signed, 'UTF8')));
end;
$function$;

comment on function identity.sign_token(jsonb) is
'A JWT (HS256) of these claims, signed with the newest access key. Refuses login_unavailable.';

revoke all on function identity.sign_token(jsonb) from public;
