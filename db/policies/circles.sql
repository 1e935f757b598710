-- app.circles: a member reads the circles they are or were in.

grant select on app.circles to authenticated, service_role;

create policy circles_of_mine on app.circles
for select
to authenticated
-- The first line finds the rows, the rest decides.
using (
  ctid = any((select app.my_circle_rows())::tid[])
  and (campus_id, time_slot, circle_no) in (
    select
      places.campus_id,
      places.time_slot,
      places.circle_no
    from app.my_places() as places
  )
);

comment on policy circles_of_mine on app.circles is 'A member reads the circles that they are or were in.';

create policy open_account on app.circles
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.my_id()) is not null);

comment on policy open_account on app.circles is 'Who has deleted the account reads nothing, whatever token is left.';
