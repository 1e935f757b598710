-- identity.address_pseudonym(p_email): what stands for an address when its member is gone.
--
-- Keyed, so that nobody who reads the table can try addresses; always the same, so that who comes back is the same
-- member: a block against them holds, and a suspension. So always with the first key for refresh tokens: a newer one
-- would make a stranger of everybody who is gone.
--
-- Definer: called by the app as circle27_owner, which reads no key.

create or replace function identity.address_pseudonym(p_email text)
returns text
language plpgsql
stable
strict
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return encode(
    identity.hmac_sha256(
      (
        select keys.secret
        from identity.keys
        where keys.purpose = 'refresh'
        order by keys.created_at, keys.key_id
        limit 1
      ),
      convert_to('address:' || p_email, 'UTF8')
    ),
    'hex'
  ) || '@deleted.invalid';
end;
$function$;

comment on function identity.address_pseudonym(text) is
'What stands in app.users for this address when its member has deleted the account.';

revoke all on function identity.address_pseudonym(text) from public;
grant execute on function identity.address_pseudonym(text) to circle27_owner;
