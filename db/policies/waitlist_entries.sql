-- app.waitlist_entries: a member reads their own entries; joining and leaving go through the functions.

grant select on app.waitlist_entries to authenticated, service_role;

create policy own_entries on app.waitlist_entries
for select
to authenticated
-- The member's own, by the index on user_id; the sub-select is evaluated once for a query, not for each row.
using (user_id = (select auth.uid()));

comment on policy own_entries on app.waitlist_entries is 'A member reads their own entries.';

create policy open_account on app.waitlist_entries
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.account_is_open()));

comment on policy open_account on app.waitlist_entries is 'Who has deleted the account reads nothing, whatever token is left.';
