-- identity.secret_hash(p_text): HMAC with the key that never leaves this schema: of codes and of refresh tokens.

create or replace function identity.secret_hash(p_text text)
returns bytea
language plpgsql
stable
strict
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_secret bytea := (
    select keys.secret from identity.keys where keys.purpose = 'refresh' order by keys.created_at desc limit 1
  );
begin
  -- Never a null: compared with anything it is neither right nor wrong.
  if v_secret is null then
    perform app.refuse('login_unavailable');
  end if;
  return identity.hmac_sha256(v_secret, convert_to(p_text, 'UTF8'));
end;
$function$;

comment on function identity.secret_hash(text) is
'HMAC of a text with the newest key for refresh tokens: 32 bytes. Refuses login_unavailable.';

revoke all on function identity.secret_hash(text) from public;
