-- app.circle_people(p_campus_id, p_time_slot, p_circle_nos): who is in these circles: no place that was given up.
--
-- By the index on circles, each number for itself (`any()` would read the whole slot).

create or replace function app.circle_people(p_campus_id text, p_time_slot timestamptz, p_circle_nos integer[])
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select places.user_id
    from unnest(p_circle_nos) as wanted (circle_no)
    inner join app.circle_members as places
      on places.circle_no = wanted.circle_no
      and places.time_slot = p_time_slot
      and places.campus_id = p_campus_id
    where places.cancelled_at is null
    order by places.user_id
  );
end;
$function$;

comment on function app.circle_people(text, timestamptz, integer[]) is
'The members of these circles of one slot, in the order of their ids.';

revoke all on function app.circle_people(text, timestamptz, integer[]) from public;
