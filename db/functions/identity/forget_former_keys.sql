-- identity.forget_former_keys(): only the key that signs access tokens now stays; returns how many went.
--
-- For when nobody accepts the former ones any more: a secret that is of no use is one less to lose. What it signed counts
-- or not as PostgREST says, which has its own copy.

create or replace function identity.forget_former_keys()
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_gone integer;
begin
  delete from identity.keys as former
  where former.purpose = 'access'
    and exists (
      select
      from identity.keys as newer
      where newer.purpose = 'access'
        and newer.created_at > former.created_at
    );
  get diagnostics v_gone = row_count;
  return v_gone;
end;
$function$;

comment on function identity.forget_former_keys() is
'Delete the keys for access tokens but the one that signs now; how many.';

revoke all on function identity.forget_former_keys() from public;
