-- app.my_places(): the places of the caller that were not given up. For policies.
--
-- Definer: a policy on app.circle_members that reads app.circle_members would ask itself for ever.

create or replace function app.my_places()
returns table (campus_id text, time_slot timestamptz, circle_no integer)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select places.campus_id, places.time_slot, places.circle_no
  from app.circle_members as places
  where places.user_id = auth.uid()
    and places.cancelled_at is null;
end;
$function$;

comment on function app.my_places() is
'The circles that the caller is in: campus_id, time_slot, circle_no.';

revoke all on function app.my_places() from public;
grant execute on function app.my_places() to authenticated;
