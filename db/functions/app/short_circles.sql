-- app.short_circles(p_campus_id, p_now): the circles that meet with fewer people than the campus wants, and could not be merged.
--
-- Read from the books, so it is never out of date. Those that are still to meet, or meeting now.

create or replace function app.short_circles(p_campus_id text, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return jsonb_build_object('circles', coalesce(
    (
      select jsonb_agg(facts.circle order by slots.time_slot, facts.circle_no)
      from app.time_slots as slots
      cross join lateral app.circle_facts(p_campus_id, slots.time_slot) as facts
      where slots.campus_id = p_campus_id
        -- A meeting is not longer than a day: so the key finds them.
        and slots.time_slot > p_now - interval '24 hours'
        and slots.ends_at > p_now
        and slots.matched_at is not null
        and slots.cancelled_at is null
        and facts.circle -> 'belowMinimum' = 'true'
    ),
    '[]'
  ));
end;
$function$;

comment on function app.short_circles(text, timestamptz) is
'The circles ahead, or meeting now, with fewer members than the campus''s minimum: {circles: [as app.circle_facts() has them]}. Refuses no_campus.';

revoke all on function app.short_circles(text, timestamptz) from public;
