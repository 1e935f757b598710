-- app.known_wishes(p_campus_id, p_people, p_time_slot): what these people said of each other, as the matching of the slot knows it.
--
-- People are places in p_people, as in app.known_meetings(). Before the matching, all that was said of earlier slots; after
-- it, what had been said by then. A low rating of a meeting is about everybody who was there.

create or replace function app.known_wishes(p_campus_id text, p_people uuid[], p_time_slot timestamptz)
returns table (a integer, b integer, apart boolean, again boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_until timestamptz := (
    select coalesce(slots.matched_at, 'infinity')
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  );
begin
  v_until := coalesce(v_until, 'infinity');

  return query
  with people as materialized (
    select listed.user_id, listed.place::integer as place
    from unnest(p_people) with ordinality as listed (user_id, place)
  ),

  said as (
    select people.place, about.about_id, about.meet_again
    from people
    inner join app.feedback_about as about
      on about.campus_id = p_campus_id
      and about.user_id = people.user_id
      and about.meet_again is not null
      and about.time_slot < p_time_slot
    -- Nothing to look up before the matching: the planner sees the constant.
    where v_until = 'infinity'
      or exists (
        select
        from app.feedback
        where feedback.campus_id = p_campus_id
          and feedback.time_slot = about.time_slot
          and feedback.user_id = about.user_id
          and feedback.created_at <= v_until
      )
    union all
    select people.place, mates.user_id, false
    from people
    inner join app.feedback
      on feedback.campus_id = p_campus_id
      and feedback.user_id = people.user_id
      and feedback.rating <= 2
      and feedback.time_slot < p_time_slot
      and feedback.created_at <= v_until
    inner join app.circle_members as places
      on places.campus_id = p_campus_id
      and places.time_slot = feedback.time_slot
      and places.user_id = feedback.user_id
    inner join app.circle_members as mates
      on mates.campus_id = p_campus_id
      and mates.time_slot = feedback.time_slot
      and mates.user_id <> feedback.user_id
      and coalesce(mates.cancelled_at > v_until, true)
      and (case when mates.moved_at > v_until then mates.moved_from else mates.circle_no end)
      = (case when places.moved_at > v_until then places.moved_from else places.circle_no end)
  )

  select
    least(said.place, others.place),
    greatest(said.place, others.place),
    bool_or(not said.meet_again),
    count(distinct said.place) filter (where said.meet_again) = 2
  from said
  inner join people as others on others.user_id = said.about_id
  group by 1, 2;
end;
$function$;

comment on function app.known_wishes(text, uuid[], timestamptz) is
'What these members said of meeting each other, a row a pair, as places in the list, the smaller first: apart (either does not want to, or rated a meeting 2 or 1), again (both want to). As it stands, or for a slot that was matched, as it stood then.';

revoke all on function app.known_wishes(text, uuid[], timestamptz) from public;
