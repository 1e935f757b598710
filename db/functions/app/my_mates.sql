-- app.my_mates(): everyone with whom the caller is or was in a circle. For policies.
--
-- One array, so that a policy looks rows up by an index instead of asking about each.
--
-- Definer: members may not read each other's places until the policy, which asks this, says so.

create or replace function app.my_mates()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select distinct mates.user_id
    from app.circle_members as places
    inner join app.circle_members as mates
      on mates.campus_id = places.campus_id
      and mates.time_slot = places.time_slot
      and mates.circle_no = places.circle_no
      and mates.cancelled_at is null
    where places.user_id = auth.uid()
      and places.cancelled_at is null
      and mates.user_id <> places.user_id
  );
end;
$function$;

comment on function app.my_mates() is
'The user ids of everyone with whom the caller is or was in a circle.';

revoke all on function app.my_mates() from public;
grant execute on function app.my_mates() to authenticated;
