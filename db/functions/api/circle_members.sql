-- api.circle_members: who is in the circles that the caller is or was in.
--
-- security_invoker: row level security of app.circle_members decides, as the caller.

create or replace view api.circle_members
with (security_invoker = true)
as
select
  members.campus_id,
  members.time_slot,
  members.circle_no,
  members.user_id
from app.circle_members as members
where members.cancelled_at is null;

comment on view api.circle_members is
'Who is in the circles that the caller is or was in.

Names are in profiles.';
comment on column api.circle_members.campus_id is 'The campus.';
comment on column api.circle_members.time_slot is 'The slot.';
comment on column api.circle_members.circle_no is 'Number of the circle within the slot.';
comment on column api.circle_members.user_id is 'The member.';

grant select on api.circle_members to authenticated, service_role;
