-- app.circles: a member reads the circles they are in.

grant select on app.circles to authenticated, service_role;

create policy circles_of_mine on app.circles
for select
to authenticated
-- Being in it: a place of the caller with the circle's own key. A place that was given up doesn't count.
using (
  exists (
    select 1
    from app.circle_members as places
    where
      places.campus_id = circles.campus_id
      and places.time_slot = circles.time_slot
      and places.circle_no = circles.circle_no
      and places.user_id = (select auth.uid())
      and places.cancelled_at is null
  )
);
