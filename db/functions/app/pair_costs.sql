-- app.pair_costs(p_campus, p_people, p_repeats, p_time_slot, p_of): what it would cost that two who have met meet again.
--
-- As app.match_weights() has it; docs/matching.md explains it. People are places in p_people, with the repeats that each had of
-- late in p_repeats. Of all pairs, or of those only of whom one is in p_of.
--
-- A plan for each call, as in app.draw_circles(); and no sorting of 100,000 pairs for a few wishes.

create or replace function app.pair_costs(
  p_campus app.campuses,
  p_people uuid[],
  p_repeats integer[],
  p_time_slot timestamptz,
  p_of integer[] default null
)
returns table (a integer, b integer, repeat integer, fair integer, said integer)
language plpgsql
stable
rows 100000
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
set enable_mergejoin = off
as $function$
declare
  c_weight constant jsonb := app.match_weights();
  c_gap    constant integer := (c_weight ->> 'gap')::integer;
  c_repeat constant integer := (c_weight ->> 'repeat')::integer;
  c_recent constant integer := (c_weight ->> 'recent')::integer;
  c_fair   constant integer := (c_weight ->> 'fair')::integer;
  c_apart  constant integer := (c_weight ->> 'apart')::integer;
  c_again  constant integer := (c_weight ->> 'again')::integer;
  c_gap_from  constant timestamptz := p_time_slot - make_interval(hours => 24 * p_campus.min_gap_days);
  c_slot_time constant double precision := date_part('epoch', p_time_slot);
begin
  return query
  with pairs as (
    select
      meetings.a,
      meetings.b,
      meetings.last_met_at > c_gap_from as in_gap,
      -- Half of it after 30 days.
      (
        c_recent * 30 / (30 + greatest(0, (c_slot_time - date_part('epoch', meetings.last_met_at)) / 86400))
      )::integer as recent,
      c_fair * (p_repeats[meetings.a] + p_repeats[meetings.b]) as fair,
      coalesce(wishes.apart, false) as apart,
      coalesce(wishes.again and not wishes.apart, false) as again
    from app.known_meetings(p_campus.campus_id, p_people, p_time_slot, p_of => p_of) as meetings
    left join app.known_wishes(p_campus.campus_id, p_people, p_time_slot) as wishes
      on wishes.a = least(meetings.a, meetings.b)
      and wishes.b = greatest(meetings.a, meetings.b)
  )

  select
    pairs.a,
    pairs.b,
    case
      when pairs.in_gap then c_gap + pairs.recent
      when pairs.again then c_again
      else c_repeat + pairs.recent
    end,
    case when pairs.again and not pairs.in_gap then 0 else pairs.fair end,
    case when pairs.apart then c_apart else 0 end
  from pairs;
end;
$function$;

comment on function app.pair_costs(app.campuses, uuid[], integer[], timestamptz, integer[]) is
'What it would cost that two of these members, who have met, meet again: for the repeat, for the repeats that they had of late, for what they said. Places in the list, each pair once; with p_of only pairs with one of these.';

revoke all on function app.pair_costs(app.campuses, uuid[], integer[], timestamptz, integer[]) from public;
