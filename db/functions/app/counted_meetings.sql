-- app.counted_meetings(p_campus_id, p_user_a, p_user_b): how often two members have met, by the books. No row if never.

create or replace function app.counted_meetings(p_campus_id text, p_user_a uuid, p_user_b uuid)
returns table (meetings_count integer, last_met_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select count(*)::integer, max(ones.time_slot)
  from app.circle_members as ones
  inner join app.circle_members as others
    on others.campus_id = p_campus_id
    and others.time_slot = ones.time_slot
    and others.user_id = p_user_b
    and others.circle_no = ones.circle_no
    and others.cancelled_at is null
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot = ones.time_slot
    and slots.cancelled_at is null
  where ones.campus_id = p_campus_id
    and ones.user_id = p_user_a
    and ones.cancelled_at is null
  having count(*) > 0;
end;
$function$;

comment on function app.counted_meetings(text, uuid, uuid) is
'How often and when last two members have met, by the circles of slots that were not cancelled. No row if never.';

revoke all on function app.counted_meetings(text, uuid, uuid) from public;
