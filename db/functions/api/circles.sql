-- api.circles: the circles that the caller is or was in.
--
-- The books: a circle of a slot that was cancelled afterwards stays in them. my_circle() is what holds.
--
-- security_invoker: row level security of app.circles decides, as the caller.

create or replace view api.circles
with (security_invoker = true)
as
select
  circles.campus_id,
  circles.time_slot,
  circles.circle_no,
  circles.spot_id
from app.circles;

comment on view api.circles is
'The circles that the caller is or was in.

my_circle() gives names and the spot''s name as well.';
comment on column api.circles.campus_id is 'The campus.';
comment on column api.circles.time_slot is 'The slot in which the circle meets.';
comment on column api.circles.circle_no is 'Number within the slot.';
comment on column api.circles.spot_id is 'Where it meets; null where the campus had no free spot.';

grant select on api.circles to authenticated, service_role;
