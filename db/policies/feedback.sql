-- app.feedback: a member reads what they said themselves; giving it goes through the function.

grant select on app.feedback to authenticated, service_role;

create policy own_feedback on app.feedback
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select auth.uid()));

comment on policy own_feedback on app.feedback is 'A member reads what they said themselves.';

create policy open_account on app.feedback
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.account_is_open()));

comment on policy open_account on app.feedback is 'Who has deleted the account reads nothing, whatever token is left.';
