-- app.lock_member(p_user_id): whatever a member writes, one thing after the other, and nothing after the last.
--
-- The call that waited here may have been let in when the account was still there: so it is asked again, with the lock held.

create or replace function app.lock_member(p_user_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pg_advisory_xact_lock(app.lock_key('member', p_user_id::text));

  if exists (
    select
    from app.user_campuses as directory
    where directory.user_id = p_user_id
      and directory.closed_at is not null
  ) then
    perform app.refuse('account_deleted');
  end if;
end;
$function$;

comment on function app.lock_member(uuid) is
'Hold what a member writes, to the end of the transaction. Refuses account_deleted.';

revoke all on function app.lock_member(uuid) from public;
