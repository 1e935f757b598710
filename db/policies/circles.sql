-- app.circles: a member reads the circles they are or were in.

grant select on app.circles to authenticated, service_role;

create policy circles_of_mine on app.circles
for select
to authenticated
-- The first two lines find the slots by the primary key, the third keeps the own circle of each.
using (
  campus_id = (select min(places.campus_id) from app.my_places() as places)
  and time_slot = any(array(select places.time_slot from app.my_places() as places))
  and (campus_id, time_slot, circle_no) in (
    select
      places.campus_id,
      places.time_slot,
      places.circle_no
    from app.my_places() as places
  )
);

comment on policy circles_of_mine on app.circles is 'A member reads the circles that they are or were in.';
