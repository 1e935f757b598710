-- app.circle_members: a member reads who is in the circles that they are or were in.

grant select (campus_id, time_slot, user_id, circle_no, cancelled_at) on app.circle_members to authenticated;
grant select on app.circle_members to service_role;

create policy places_in_my_circles on app.circle_members
for select
to authenticated
-- The first line finds the rows, the rest decides: the member's own, and those of the same circles. (One policy for
-- both: as alternatives they could not be found that way.)
using (
  ctid = any((select app.my_place_rows())::tid[])
  and (
    user_id = (select app.my_id())
    or (campus_id, time_slot, circle_no) in (
      select
        places.campus_id,
        places.time_slot,
        places.circle_no
      from app.my_places() as places
    )
  )
);

comment on policy places_in_my_circles on app.circle_members is
'A member reads their own places, and who is or was in the same circles.';

create policy open_account on app.circle_members
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.my_id()) is not null);

comment on policy open_account on app.circle_members is 'Who has deleted the account reads nothing, whatever token is left.';
