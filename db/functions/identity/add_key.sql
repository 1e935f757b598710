-- identity.add_key(p_key_id, p_secret): from now on, sign access tokens with this key. Repeatable.
--
-- The secret is the text that PostgREST has as its jwt-secret, or the decoded `k` of a JWK. Tokens signed before keep
-- counting for as long as PostgREST knows their key, too.

create or replace function identity.add_key(p_key_id text, p_secret bytea)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  insert into identity.keys (key_id, purpose, secret)
  values (p_key_id, 'access', p_secret)
  on conflict (key_id) do nothing;

  -- One that is known, but no longer the newest, becomes it again: whoever takes PostgREST back to its former key.
  if not found then
    update identity.keys
    set created_at = clock_timestamp()
    where keys.key_id = p_key_id
      and keys.purpose = 'access'
      and keys.secret = p_secret
      and exists (
        select from identity.keys as newer where newer.purpose = 'access' and newer.created_at > keys.created_at
      );
  end if;

  -- Another secret under a known name would make its tokens worthless without a word.
  if not exists (
    select
    from identity.keys
    where keys.key_id = p_key_id
      and keys.purpose = 'access'
      and keys.secret = p_secret
  ) then
    perform app.refuse('key_exists');
  end if;
exception
  when check_violation or not_null_violation then
    perform app.refuse('key_invalid');
end;
$function$;

comment on function identity.add_key(text, bytea) is
'Sign access tokens with this key from now on. Repeatable. Refuses key_exists, key_invalid.';

revoke all on function identity.add_key(text, bytea) from public;
