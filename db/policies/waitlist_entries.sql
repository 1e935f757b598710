-- app.waitlist_entries: a member reads their own entries; joining and leaving go through the functions.

grant select on app.waitlist_entries to authenticated, service_role;

create policy own_entries on app.waitlist_entries
for select
to authenticated
-- The member's own, by the index on user_id; the sub-select is evaluated once for a query, not for each row.
using (user_id = (select app.my_id()));

comment on policy own_entries on app.waitlist_entries is 'A member reads their own entries.';
