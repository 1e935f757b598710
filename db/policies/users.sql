-- app.users: a member reads the names of their circle-mates and their own; nothing else of a row is granted, least of all
-- the address, so no policy can leak it. my_profile() tells a member the rest about themselves.

grant select (campus_id, user_id, display_name) on app.users to authenticated;
grant select on app.users to service_role;

create policy own_row on app.users
for select
to authenticated
using (user_id = (select app.my_id()));

comment on policy own_row on app.users is 'A member reads their own row.';

create policy circle_mates on app.users
for select
to authenticated
-- One array for the whole query, so that the index on user_id finds the rows.
using (user_id = any((select app.my_mates())::uuid[]));

comment on policy circle_mates on app.users is 'A member reads those with whom they are or were in a circle.';

create policy open_account on app.users
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.my_id()) is not null);

comment on policy open_account on app.users is 'Who has deleted the account reads nothing, whatever token is left.';
