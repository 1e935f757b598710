-- app.feedback_about: a member reads what they said themselves, and never what was said about them.

grant select on app.feedback_about to authenticated, service_role;

create policy own_words on app.feedback_about
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select app.my_id()));

comment on policy own_words on app.feedback_about is 'A member reads what they said themselves, never what was said about them.';
