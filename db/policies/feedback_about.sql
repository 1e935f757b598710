-- app.feedback_about: a member reads what they said themselves, and never what was said about them.

grant select on app.feedback_about to authenticated, service_role;

create policy own_words on app.feedback_about
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select auth.uid()));

comment on policy own_words on app.feedback_about is 'A member reads what they said themselves, never what was said about them.';

create policy open_account on app.feedback_about
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.account_is_open()));

comment on policy open_account on app.feedback_about is 'Who has deleted the account reads nothing, whatever token is left.';
