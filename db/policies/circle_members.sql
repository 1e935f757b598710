-- app.circle_members: a member reads their own places.

grant select on app.circle_members to authenticated, service_role;

create policy own_places on app.circle_members
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select auth.uid()));
