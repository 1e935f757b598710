-- app.known_meetings(p_campus_id, p_people, p_time_slot, …): who of these people had met, as the matching of the slot knows it.
--
-- People are places in p_people, so that nobody has to look up 100,000 ids again. Each pair once. All of them, or only those
-- who sit together (p_seats: the circle of each, 0 for none), or only those of whom one is in p_of.
--
-- Before the matching, what app.meetings says. After it, what it said then, from the books: circles that were formed before,
-- in slots that had not been called off by then, with the places that had not been given up by then, in the circle where
-- they were by then.
--
-- All: one pass with hashes of the people beside it, however few pairs the planner expects: where campuses are many it
-- expects one instead of 100,000, and would look through the whole list for each. (Grouped, it knows that people are
-- different; otherwise it makes a hash of all pairs instead.) Some: by the indexes, for `limit` and `offset` leave no other way.

create or replace function app.known_meetings(
  p_campus_id text,
  p_people uuid[],
  p_time_slot timestamptz,
  p_seats integer[] default null,
  p_of integer[] default null
)
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
  if v_matched_at is null and p_seats is not null then
    return query
    with people as materialized (
      select listed.user_id, listed.circle, listed.place::integer as place
      from unnest(p_people, p_seats) with ordinality as listed (user_id, circle, place)
      where listed.circle > 0
    )

    select ones.place, others.place, met.meetings_count, met.last_met_at
    from people as ones
    inner join people as others
      on others.circle = ones.circle
      and others.user_id > ones.user_id
    cross join lateral (
      select meetings.meetings_count, meetings.last_met_at
      from app.meetings
      where meetings.campus_id = p_campus_id
        and meetings.user_a = ones.user_id
        and meetings.user_b = others.user_id
      limit 1
    ) as met;
    return;
  end if;

  if v_matched_at is null and p_of is not null then
    return query
    with people as materialized (
      select listed.user_id, listed.place::integer as place, listed.place = any(p_of) as is_of
      from unnest(p_people) with ordinality as listed (user_id, place)
    ),

    met as (
      select people.place, seconds.user_b as other_id, seconds.meetings_count, seconds.last_met_at, false as backwards
      from people
      cross join lateral (
        select meetings.user_b, meetings.meetings_count, meetings.last_met_at
        from app.meetings
        where meetings.campus_id = p_campus_id
          and meetings.user_a = people.user_id
        offset 0
      ) as seconds
      where people.is_of
      union all
      select people.place, firsts.user_a, firsts.meetings_count, firsts.last_met_at, true
      from people
      cross join lateral (
        select meetings.user_a, meetings.meetings_count, meetings.last_met_at
        from app.meetings
        where meetings.campus_id = p_campus_id
          and meetings.user_b = people.user_id
        offset 0
      ) as firsts
      where people.is_of
    )

    select met.place, people.place, met.meetings_count, met.last_met_at
    from met
    inner join people on people.user_id = met.other_id
    where not (met.backwards and people.is_of);  -- found from the other side
    return;
  end if;

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
  where (p_seats is null or p_seats[ones.place] = p_seats[others.place] and p_seats[ones.place] > 0)
    and (p_of is null or ones.place = any(p_of) or others.place = any(p_of))
  group by ones.place, others.place;
end;
$function$;

comment on function app.known_meetings(text, uuid[], timestamptz, integer[], integer[]) is
'Who of these members has met whom, as places in the list, each pair once: as it stands, or for a slot that was matched, as it stood then. With p_seats only who sits together, with p_of only pairs with one of these.';

revoke all on function app.known_meetings(text, uuid[], timestamptz, integer[], integer[]) from public;
