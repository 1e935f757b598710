-- app.users: a member reads their own row, without the address: no column grant, so no policy can leak it.

grant select (campus_id, user_id, display_name, tier, attributes, created_at) on app.users to authenticated;
grant select on app.users to service_role;

create policy own_row on app.users
for select
to authenticated
using (user_id = (select auth.uid()));
