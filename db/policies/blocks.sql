-- app.blocks: a member reads whom they block, and never who blocks them; writing goes through the functions.

grant select on app.blocks to authenticated, service_role;

create policy own_blocks on app.blocks
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select app.my_id()));

comment on policy own_blocks on app.blocks is 'A member reads whom they block, never who blocks them.';
