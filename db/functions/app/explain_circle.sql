-- app.explain_circle(p_campus_id, p_time_slot, p_circle_no): why these people sit together, in words.
--
-- About the circle as the matching formed it, from what it knew then: the inputs kept with the run, the meetings of the books
-- (app.known_meetings()). Then what has changed since. Writes nothing and holds no lock.
--
-- What would give somebody away is not in it. A wall is known to the two whom it parts at most; what was said in feedback, and
-- who stayed away, comes from what members said in confidence. So walls and feedback get one sentence that is always the same,
-- and of those who stayed away there are numbers for the whole list only. Nor does it say "these two could not be parted", for
-- the reader would look for the wall: only how many of the others each had met.
--
-- requires: app.drawn_order, app.known_meetings, app.matched_slot, app.refuse

create or replace function app.explain_circle(p_campus_id text, p_time_slot timestamptz, p_circle_no integer)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_slot     app.time_slots := app.matched_slot(p_campus_id, p_time_slot);  -- refuses what can't be looked at again
  v_rules    jsonb;
  v_zone     text;
  v_listed   uuid[];
  v_people   jsonb;
  v_reasons  text[];
begin
  -- Who was seated here by the matching, or came later. A circle that all have left is still explained.
  select jsonb_agg(
    jsonb_build_object(
      'userId', places.user_id,
      'displayName', users.display_name,
      'place', case
        when places.circle_no <> p_circle_no then 'moved_away'
        when places.cancelled_at is not null then 'given_up'
        when places.moved_from is not null then 'moved_here'
        else 'kept'
      end
    )
    order by users.display_name, places.user_id
  )
  into v_people
  from app.circle_members as places
  inner join app.users
    on users.campus_id = p_campus_id
    and users.user_id = places.user_id
  where places.campus_id = p_campus_id
    and places.time_slot = p_time_slot
    and p_circle_no in (places.circle_no, places.moved_from);

  if v_people is null then
    perform app.refuse('circle_not_found');
  end if;

  v_rules := v_slot.match_inputs -> 'campus';
  v_zone := (select campuses.time_zone from app.campuses where campuses.campus_id = p_campus_id);
  v_listed := app.drawn_order(p_campus_id, p_time_slot, v_slot.match_seed);

  with listed as materialized (
    select
      people.user_id,
      users.display_name as name,
      coalesce(places.moved_from, places.circle_no) as formed_in,
      places.circle_no,
      places.moved_from,
      places.cancelled_at,
      people.missed::integer as missed,
      people.risk::integer as risk,
      people.class::integer as class
    from rows from (
      unnest(v_listed),
      jsonb_array_elements(v_slot.match_inputs -> 'missed'),
      jsonb_array_elements(v_slot.match_inputs -> 'risk'),
      jsonb_array_elements(v_slot.match_inputs -> 'class')
    ) as people (user_id, missed, risk, class)
    inner join app.users
      on users.campus_id = p_campus_id
      and users.user_id = people.user_id
    left join app.circle_members as places
      on places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = people.user_id
  ),

  here as materialized (
    select listed.*
    from listed
    where listed.formed_in = p_circle_no
  ),

  sizes as (
    select counted.people, count(*) as circles
    from (
      select count(*) as people
      from listed
      where listed.formed_in is not null
      group by listed.formed_in
    ) as counted
    group by counted.people
  ),

  met as materialized (
    select
      v_listed[meetings.a] as user_a,
      v_listed[meetings.b] as user_b,
      meetings.meetings_count,
      meetings.last_met_at
    from app.known_meetings(p_campus_id, v_listed, p_time_slot) as meetings
  ),

  -- Of how many of the list each one here was no stranger.
  known as (
    select here.user_id, here.name, count(met.user_a) as others
    from here
    left join met on here.user_id in (met.user_a, met.user_b)
    group by here.user_id, here.name
  ),

  again as materialized (
    select
      least(ones.name, others.name) as one,
      greatest(ones.name, others.name) as other,
      case when ones.name <= others.name then ones.others else others.others end as one_knew,
      case when ones.name <= others.name then others.others else ones.others end as other_knew,
      met.meetings_count as times,
      met.last_met_at,
      met.last_met_at > p_time_slot - make_interval(hours => 24 * (v_rules ->> 'min_gap_days')::integer) as in_gap
    from met
    inner join known as ones on ones.user_id = met.user_a
    inner join known as others on others.user_id = met.user_b
  ),

  sentences as (
    select 1 as part, null::text as key, format(
      '%s of the %s people on the list sit in circles: %s. The campus wants from %s to %s, best %s.',
      (select count(listed.formed_in) from listed),
      cardinality(v_listed),
      (
        select string_agg(format('%s of %s', sizes.circles, sizes.people), ', ' order by sizes.people desc)
        from sizes
      ),
      v_rules ->> 'size_min', v_rules ->> 'size_max', v_rules ->> 'size_target'
    ) as sentence
    union all
    select 2, null, format('None of these %s had met before.', (select count(*) from here))
    where not exists (select from again)
    union all
    select 2, again.one || again.other, format(
      '%s and %s had met before, %s, last on %s, %s; %s gap of %s days.',
      again.one,
      again.other,
      case when again.times = 1 then 'once' else again.times || ' times' end,
      to_char(again.last_met_at at time zone v_zone, 'FMDD FMMonth YYYY'),
      (
        select case when days.ago = 0 then 'the same day' when days.ago = 1 then 'a day before' else days.ago || ' days before' end
        from (
          select (p_time_slot at time zone v_zone)::date - (again.last_met_at at time zone v_zone)::date as ago
        ) as days
      ),
      case when again.in_gap then 'within the' else 'the campus wants a' end,
      v_rules ->> 'min_gap_days'
    ) || format(
      ' Of the %s others on the list %s had met %s and %s %s: no better circles were found.',
      cardinality(v_listed) - 1, again.one, again.one_knew, again.other, again.other_knew
    )
    from again
    union all
    select 3, here.name, format(
      '%s had been left out %s, and came first.',
      here.name,
      case
        when here.missed >= 100 then 'the last time'
        when here.missed = 1 then 'once in the 30 days before'
        else here.missed || ' times in the 30 days before'
      end
    )
    from here
    where here.missed > 0
    union all
    select 4, null, format(
      'Of those on the list %s had stayed away lately; they are spread over the circles.', count(*)
    )
    from listed
    where listed.risk > 0
    having count(*) > 0
    union all
    select 5, null, format(
      'People are mixed by %s: these %s have %s of the %s values on the list.',
      v_rules ->> 'mix_attribute',
      (select count(*) from here),
      (select count(distinct here.class) from here),
      (select count(distinct listed.class) from listed)
    )
    where v_rules ->> 'mix_attribute' is not null
    union all
    select 6, null, 'Blocks were kept to, and what members said of each other was heard; nobody is told of whom.'
    union all
    select 7, listed.name, format(
      case when listed.cancelled_at is null
        then '%s came from circle %s, which became too small.'
        else '%s came from circle %s, which became too small, and then gave the place up.'
      end,
      listed.name, listed.moved_from
    )
    from listed
    where listed.circle_no = p_circle_no
      and listed.moved_from is not null
    union all
    select 7, here.name, format('%s gave the place up.', here.name)
    from here
    where here.circle_no = p_circle_no
      and here.cancelled_at is not null
    union all
    select 7, here.name, format('%s went to circle %s, as too few were left here.', here.name, here.circle_no)
    from here
    where here.circle_no <> p_circle_no
    union all
    select 8, null, coalesce(
      (
        select format('They meet at %s.', spots.name)
        from app.circles
        inner join app.meeting_spots as spots
          on spots.campus_id = p_campus_id
          and spots.spot_id = circles.spot_id
        where circles.campus_id = p_campus_id
          and circles.time_slot = p_time_slot
          and circles.circle_no = p_circle_no
      ),
      'The circle has no spot.'
    )
  )

  select array_agg(sentences.sentence order by sentences.part, sentences.key)
  into v_reasons
  from sentences;

  return jsonb_build_object(
    'campusId', p_campus_id,
    'timeSlot', p_time_slot,
    'circleNo', p_circle_no,
    'people', v_people,
    'reasons', to_jsonb(v_reasons)
  );
end;
$function$;

comment on function app.explain_circle(text, timestamptz, integer) is
'Why these people sit together: {campusId, timeSlot, circleNo, people: [{userId, displayName, place}], reasons: [sentences]}. Refuses no_campus, slot_not_found, not_matched_yet, inputs_not_kept, circle_not_found.';

revoke all on function app.explain_circle(text, timestamptz, integer) from public;
