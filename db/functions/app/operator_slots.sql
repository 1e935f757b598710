-- app.operator_slots(p_campus_id, p_time_zone, p_day, p_now): the slots of a day as the campus's operators see them.
--
-- Numbers, and nobody's name. `filled` draws how a list grew: how many were on it at the end of each quarter of an hour in
-- which somebody came or went. Who left and came again counts from the last time.
--
-- requires: app.day_start
-- requires: app.slot_facts

create or replace function app.operator_slots(p_campus_id text, p_time_zone text, p_day date, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_quarter interval := interval '15 minutes';
  v_epoch   timestamptz := timestamptz '2000-01-01 00:00:00+00';
  v_slots   jsonb;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select jsonb_agg(
    app.slot_facts(slots, p_now) || jsonb_build_object(
      'onList', lists.on_list,
      'left', lists.gone,
      'filled', coalesce(curves.points, '[]'),
      'match', slots.match_report,
      'feedbackCount', said.given,
      'averageRating', said.average
    )
    order by slots.time_slot
  )
  into v_slots
  from app.time_slots as slots
  cross join lateral (
    select
      count(*) filter (where entries.left_at is null) as on_list,
      count(entries.left_at) as gone
    from app.waitlist_entries as entries
    where entries.campus_id = p_campus_id
      and entries.time_slot = slots.time_slot
  ) as lists
  cross join lateral (
    select jsonb_agg(jsonb_build_object('until', steps.until, 'onList', steps.on_list) order by steps.until) as points
    from (
      select
        date_bin(v_quarter, changes.changed_at, v_epoch) + v_quarter as until,
        sum(sum(changes.change)) over (order by date_bin(v_quarter, changes.changed_at, v_epoch)) as on_list
      from app.waitlist_entries as entries
      cross join lateral (values (entries.joined_at, 1), (entries.left_at, -1)) as changes (changed_at, change)
      where entries.campus_id = p_campus_id
        and entries.time_slot = slots.time_slot
        and changes.changed_at is not null
      group by date_bin(v_quarter, changes.changed_at, v_epoch)
    ) as steps
  ) as curves
  cross join lateral (
    select count(*) as given, round(avg(feedback.rating), 1) as average
    from app.feedback
    where feedback.campus_id = p_campus_id
      and feedback.time_slot = slots.time_slot
  ) as said
  where slots.campus_id = p_campus_id
    and slots.time_slot >= app.day_start(p_time_zone, p_day)
    and slots.time_slot < app.day_start(p_time_zone, p_day + 1);

  return coalesce(v_slots, '[]');
end;
$function$;

comment on function app.operator_slots(text, text, date, timestamptz) is
'The slots of a day as the campus''s operators see them at p_now, in order: what everyone may know, and {onList, left, filled: [{until, onList}], match, feedbackCount, averageRating}. Refuses no_campus.';

revoke all on function app.operator_slots(text, text, date, timestamptz) from public;
