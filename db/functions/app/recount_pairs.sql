-- app.recount_pairs(p_campus_id, p_user_ids): count anew who has met whom, for every two of these few members.
--
-- From the books, as app.recount_meetings() does for a whole slot; here a pair may be new, too. Called with the campus's
-- 'pairs' lock held.

create or replace function app.recount_pairs(p_campus_id text, p_user_ids uuid[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  with people as (
    select distinct listed.user_id
    from unnest(p_user_ids) as listed (user_id)
  ),

  pairs as materialized (
    select ones.user_id as user_a, others.user_id as user_b, counted.meetings_count, counted.last_met_at
    from people as ones
    inner join people as others on others.user_id > ones.user_id
    left join lateral app.counted_meetings(p_campus_id, ones.user_id, others.user_id) as counted on true
  ),

  gone as (
    delete from app.meetings
    using pairs
    where meetings.campus_id = p_campus_id
      and meetings.user_a = pairs.user_a
      and meetings.user_b = pairs.user_b
      and pairs.meetings_count is null
  )

  insert into app.meetings as meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
  select p_campus_id, pairs.user_a, pairs.user_b, pairs.meetings_count, pairs.last_met_at
  from pairs
  where pairs.meetings_count is not null
  on conflict on constraint meetings_pkey do update
  set meetings_count = excluded.meetings_count, last_met_at = excluded.last_met_at
  where meetings.meetings_count <> excluded.meetings_count
    or meetings.last_met_at <> excluded.last_met_at;
end;
$function$;

comment on function app.recount_pairs(text, uuid[]) is
'Count anew who has met whom, for every two of these members.';

revoke all on function app.recount_pairs(text, uuid[]) from public;
