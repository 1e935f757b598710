-- app.my_circle_rows(): where the rows of the caller's circles lie in app.circles. For the policy, which needs to find them.
--
-- A policy can't join, and no index is looked up by pairs of slot and number: through the key alone it would read every
-- circle of each slot that the caller was in (measured: 6 times the query without a policy at 10,000 members, and more
-- with more). It decides by app.my_places() all the same: an address out of place would hide a row and show none.
--
-- Stable, and must stay so: it looks with the snapshot of the query that asks, so each address is of the version that the
-- query sees, whatever is updated or vacuumed meanwhile.
--
-- Definer: asked by the policy of the table that it reads.

create or replace function app.my_circle_rows()
returns tid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select circles.ctid
    from app.circle_members as places
    inner join app.circles
      on circles.campus_id = places.campus_id
      and circles.time_slot = places.time_slot
      and circles.circle_no = places.circle_no
    where places.user_id = auth.uid()
      and places.cancelled_at is null
  );
end;
$function$;

comment on function app.my_circle_rows() is
'Where the rows of the circles that the caller is in lie in app.circles.';

revoke all on function app.my_circle_rows() from public;
grant execute on function app.my_circle_rows() to authenticated;
