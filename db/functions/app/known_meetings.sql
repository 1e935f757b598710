-- app.known_meetings(p_campus_id, p_people, p_time_slot): who of these people had met, as the matching of the slot knows it.
--
-- People are places in p_people, so that nobody has to look up 100,000 ids again. Each pair once.
--
-- Before the matching, what app.meetings says. After it, what it said then, from the books: circles that were formed before,
-- in slots that had not been called off by then, with the places that had not been given up by then, in the circle where
-- they were by then.
--
-- One pass with hashes of the people beside it, however few pairs the planner expects: where campuses are many it expects
-- one instead of 100,000, and would look through the whole list for each. (Grouped, it knows that people are different;
-- otherwise it makes a hash of all pairs instead.)

create or replace function app.known_meetings(p_campus_id text, p_people uuid[], p_time_slot timestamptz)
returns table (a integer, b integer, meetings_count integer, last_met_at timestamptz)
language plpgsql
stable
rows 100000
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_nestloop = off
set enable_mergejoin = off
as $function$
declare
  v_matched_at timestamptz := (
    select slots.matched_at
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  );
begin
  if v_matched_at is null then
    return query
    with people as not materialized (
      select listed.user_id, min(listed.place)::integer as place
      from unnest(p_people) with ordinality as listed (user_id, place)
      group by listed.user_id
    )

    select ones.place, others.place, meetings.meetings_count, meetings.last_met_at
    from app.meetings
    inner join people as ones on ones.user_id = meetings.user_a
    inner join people as others on others.user_id = meetings.user_b
    where meetings.campus_id = p_campus_id
      and meetings.user_a = any(p_people);
    return;
  end if;

  return query
  with places as materialized (
    select
      people.place::integer as place,
      members.time_slot,
      case when members.moved_at > v_matched_at then members.moved_from else members.circle_no end as circle_no
    from app.circle_members as members
    inner join unnest(p_people) with ordinality as people (user_id, place) on people.user_id = members.user_id
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = members.time_slot
    where members.campus_id = p_campus_id
      and members.user_id = any(p_people)
      and (slots.matched_at, slots.time_slot) < (v_matched_at, p_time_slot)
      and coalesce(slots.cancelled_at > v_matched_at, true)
      and coalesce(members.cancelled_at > v_matched_at, true)
  )

  select ones.place, others.place, count(*)::integer, max(ones.time_slot)
  from places as ones
  inner join places as others
    on others.time_slot = ones.time_slot
    and others.circle_no = ones.circle_no
    and others.place > ones.place
  group by ones.place, others.place;
end;
$function$;

comment on function app.known_meetings(text, uuid[], timestamptz) is
'Who of these members has met whom, as places in the list, each pair once: as it stands, or for a slot that was matched, as it stood then.';

revoke all on function app.known_meetings(text, uuid[], timestamptz) from public;
