-- app.my_place_rows(): where the caller's places, and those of the mates, lie in app.circle_members. For the policy.
--
-- The caller's own with those that were given up; of others only those that were not. Why addresses, and why it must stay
-- stable: app.my_circle_rows().
--
-- Definer: a policy on app.circle_members that reads app.circle_members would ask itself for ever.

create or replace function app.my_place_rows()
returns tid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select mates.ctid
    from app.circle_members as places
    inner join app.circle_members as mates
      on mates.campus_id = places.campus_id
      and mates.time_slot = places.time_slot
      and mates.circle_no = places.circle_no
      and mates.cancelled_at is null
    where places.user_id = auth.uid()
      and places.cancelled_at is null

    union all

    select places.ctid
    from app.circle_members as places
    where places.user_id = auth.uid()
      and places.cancelled_at is not null
  );
end;
$function$;

comment on function app.my_place_rows() is
'Where the places of the caller, and of everyone in the same circles, lie in app.circle_members.';

revoke all on function app.my_place_rows() from public;
grant execute on function app.my_place_rows() to authenticated;
