-- app.my_id(): who asks, or null: nobody, no member, or one who has deleted the account. For policies.
--
-- Functions ask app.current_member(); what is read through a view passes only the policies. A token of another issuer may
-- outlive the account by an hour or a year.
--
-- One question for both, as each costs where few rows are read (decision 12). And not auth.uid() in the policy itself: as
-- plain SQL it would be written into every query, and behind PgBouncer every query is planned anew.
--
-- Definer: members may not read the directory.

create or replace function app.my_id()
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select directory.user_id
    from app.user_campuses as directory
    where directory.user_id = auth.uid()
      and directory.closed_at is null
  );
end;
$function$;

comment on function app.my_id() is
'The member who asks; null for nobody, and for who has deleted the account.';

revoke all on function app.my_id() from public;
grant execute on function app.my_id() to authenticated;
