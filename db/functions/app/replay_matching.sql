-- app.replay_matching(p_campus_id, p_time_slot): match a slot of the past again, on paper, and compare.
--
-- With the list, the seed, the rules and the walls of then, and who had met by then. `same` says whether the same people sit
-- together. If not, the algorithm is another one, or the books were changed by hand; and the numbers say which is better: how
-- many pairs had met before, how many within the minimum gap, how many are left out. The circles as they were formed, before
-- any place was given up.
--
-- Writes nothing and holds no lock.

create or replace function app.replay_matching(p_campus_id text, p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_slot   app.time_slots := app.matched_slot(p_campus_id, p_time_slot);  -- refuses what can't be looked at again
  v_campus app.campuses;
  v_people uuid[];
  v_then   integer[];
  v_now    integer[];
begin
  v_campus := jsonb_populate_record(null::app.campuses, v_slot.match_inputs -> 'campus');
  v_people := app.drawn_order(p_campus_id, p_time_slot, v_slot.match_seed);
  v_then := array(
    select coalesce(places.moved_from, places.circle_no)
    from unnest(v_people) with ordinality as people (user_id, number)
    left join app.circle_members as places
      on places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = people.user_id
    order by people.number
  );
  v_now := (app.draw_circles(v_campus, v_people, p_time_slot, v_slot.match_seed)).circles;

  return (
    with seats as materialized (
      -- A circle is named by the first of its people in the drawn order: so two drawings can number it as they like.
      select
        drawings.name as drawing,
        people.number,
        drawings.circles[people.number] as circle_no,
        case
          when drawings.circles[people.number] is not null
            then min(people.number) over (partition by drawings.name, drawings.circles[people.number])
        end as first_one
      from (values ('then', v_then), ('now', v_now)) as drawings (name, circles)
      cross join generate_series(1, cardinality(v_people)) as people (number)
    ),

    repeats as materialized (
      select
        ones.drawing,
        count(*) as pairs,
        count(*) filter (
          where met.last_met_at > p_time_slot - make_interval(hours => 24 * v_campus.min_gap_days)
        ) as within_gap
      from app.known_meetings(p_campus_id, v_people, p_time_slot) as met
      inner join seats as ones on ones.number = met.a
      inner join seats as others
        on others.number = met.b
        and others.drawing = ones.drawing
        and others.circle_no = ones.circle_no
      group by ones.drawing
    ),

    drawings as (
      select
        seats.drawing,
        jsonb_build_object(
          'circles', count(distinct seats.circle_no),
          'leftOut', count(*) - count(seats.circle_no),
          'repeatedPairs', coalesce(max(repeats.pairs), 0),
          'repeatedWithinGap', coalesce(max(repeats.within_gap), 0)
        ) as facts
      from seats
      left join repeats on repeats.drawing = seats.drawing
      group by seats.drawing
    ),

    others as (
      select count(*) as people
      from seats as ones
      inner join seats as again
        on again.number = ones.number
        and again.drawing = 'now'
      where ones.drawing = 'then'
        and ones.first_one is distinct from again.first_one
    )

    select jsonb_build_object(
      'campusId', p_campus_id,
      'timeSlot', p_time_slot,
      'matchedAt', v_slot.matched_at,
      'seed', v_slot.match_seed,
      'people', cardinality(v_people),
      'same', others.people = 0,
      'seatedElsewhere', others.people,
      'then', (select drawings.facts from drawings where drawings.drawing = 'then'),
      'now', (select drawings.facts from drawings where drawings.drawing = 'now')
    )
    from others
  );
end;
$function$;

comment on function app.replay_matching(text, timestamptz) is
'Match a slot of the past again, with what was known then, and compare: {campusId, timeSlot, matchedAt, seed, people, same, seatedElsewhere, then and now: {circles, leftOut, repeatedPairs, repeatedWithinGap}}. Refuses no_campus, slot_not_found, not_matched_yet, inputs_not_kept.';

revoke all on function app.replay_matching(text, timestamptz) from public;
