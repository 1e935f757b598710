-- app.blocks: a member reads whom they block, and never who blocks them; writing goes through the functions.

grant select on app.blocks to authenticated, service_role;

create policy own_blocks on app.blocks
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select auth.uid()));

comment on policy own_blocks on app.blocks is 'A member reads whom they block, never who blocks them.';

create policy open_account on app.blocks
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.account_is_open()));

comment on policy open_account on app.blocks is 'Who has deleted the account reads nothing, whatever token is left.';
