-- app.circle_members: a member reads who is in the circles that they are or were in.

grant select (campus_id, time_slot, user_id, circle_no, cancelled_at) on app.circle_members to authenticated;
grant select on app.circle_members to service_role;

create policy own_places on app.circle_members
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select auth.uid()));

comment on policy own_places on app.circle_members is 'A member reads their own places.';

create policy places_of_mates on app.circle_members
for select
to authenticated
-- The first three lines find the rows by the primary key, the last keeps those of the same circles.
using (
  campus_id = (select min(places.campus_id) from app.my_places() as places)
  and time_slot = any(array(select places.time_slot from app.my_places() as places))
  and user_id = any((select app.my_mates())::uuid[])
  and (campus_id, time_slot, circle_no) in (
    select
      places.campus_id,
      places.time_slot,
      places.circle_no
    from app.my_places() as places
  )
);

comment on policy places_of_mates on app.circle_members is 'A member reads who is or was in the same circles.';
