-- app.recount_meetings(p_campus_id, p_time_slot): count anew who has met whom, for the pairs of one slot's circles.
--
-- From the books: circles whose slot was not cancelled, places that were not given up. Called with the campus's 'pairs'
-- lock held.

create or replace function app.recount_meetings(p_campus_id text, p_time_slot timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  with pairs as (
    select ones.user_id as user_a, others.user_id as user_b
    from app.circle_members as ones
    inner join app.circle_members as others
      on others.campus_id = p_campus_id
      and others.time_slot = p_time_slot
      and others.circle_no = ones.circle_no
      and others.user_id > ones.user_id
    where ones.campus_id = p_campus_id
      and ones.time_slot = p_time_slot
  ),

  gone as (
    delete from app.meetings
    using pairs
    where meetings.campus_id = p_campus_id
      and meetings.user_a = pairs.user_a
      and meetings.user_b = pairs.user_b
      and not exists (select from app.counted_meetings(p_campus_id, pairs.user_a, pairs.user_b))
  )

  update app.meetings
  set meetings_count = counted.meetings_count, last_met_at = counted.last_met_at
  from pairs
  cross join lateral app.counted_meetings(p_campus_id, pairs.user_a, pairs.user_b) as counted
  where meetings.campus_id = p_campus_id
    and meetings.user_a = pairs.user_a
    and meetings.user_b = pairs.user_b;
end;
$function$;

comment on function app.recount_meetings(text, timestamptz) is
'Count anew who has met whom, for the pairs of one slot''s circles.';

revoke all on function app.recount_meetings(text, timestamptz) from public;
