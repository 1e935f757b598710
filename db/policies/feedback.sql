-- app.feedback: a member reads what they said themselves; giving it goes through the function.

grant select on app.feedback to authenticated, service_role;

create policy own_feedback on app.feedback
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select app.my_id()));

comment on policy own_feedback on app.feedback is 'A member reads what they said themselves.';
