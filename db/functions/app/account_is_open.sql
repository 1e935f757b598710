-- app.account_is_open(): whether the caller has not deleted the account. For policies.
--
-- Functions ask app.current_member(); what is read through a view passes only the policies. A token of another issuer may
-- outlive the account by an hour or a year.
--
-- Definer: members may not read the directory.

create or replace function app.account_is_open()
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return exists (
    select
    from app.user_campuses as directory
    where directory.user_id = auth.uid()
      and directory.closed_at is null
  );
end;
$function$;

comment on function app.account_is_open() is
'Whether the account of the caller was not deleted.';

revoke all on function app.account_is_open() from public;
grant execute on function app.account_is_open() to authenticated;
