-- api.feedback: what the caller has said about meetings. submit_feedback() is how to say it.
--
-- security_invoker: row level security of app.feedback decides, as the caller.

create or replace view api.feedback
with (security_invoker = true)
as
select
  feedback.campus_id,
  feedback.time_slot,
  feedback.user_id,
  feedback.rating,
  feedback.comment,
  feedback.created_at
from app.feedback;

comment on view api.feedback is
'What the caller has said about meetings.';
comment on column api.feedback.campus_id is 'The campus.';
comment on column api.feedback.time_slot is 'The slot.';
comment on column api.feedback.user_id is 'Who gave it.';
comment on column api.feedback.rating is 'From 1 to 5.';
comment on column api.feedback.comment is 'Free words.';
comment on column api.feedback.created_at is 'When it was given (app clock).';

grant select on api.feedback to authenticated, service_role;
