-- app.operator_day(p_campus_id, p_day, p_now): a campus's day, and how the machinery does, for its operators.
--
-- requires: app.operator_slots

create or replace function app.operator_day(p_campus_id text, p_day date, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_at        timestamptz := clock_timestamp();  -- the outbox and the limits keep real time
  v_time_zone text;
  v_day       date;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_day not between date '2000-01-01' and date '2199-12-31' then
    perform app.refuse('day_invalid');
  end if;

  select campuses.time_zone
  into v_time_zone
  from app.campuses
  where campuses.campus_id = p_campus_id;

  if not found then
    perform app.refuse('campus_not_found');
  end if;
  perform set_config('TimeZone', v_time_zone, true);
  v_day := coalesce(p_day, (p_now at time zone v_time_zone)::date);

  return jsonb_build_object(
    'now', p_now,
    'campusId', p_campus_id,
    'timeZone', v_time_zone,
    'day', v_day,
    'slots', app.operator_slots(p_campus_id, v_time_zone, v_day, p_now),
    'outbox', (
      select jsonb_build_object(
        'waiting', count(*),
        'oldestSeconds', case when count(*) > 0 then round(extract(epoch from v_at - least(v_at, min(queue.emitted_at))), 3) end
      )
      from (
        select outbox.emitted_at
        from events.outbox
        where outbox.campus_id = p_campus_id
        order by outbox.id
        limit 1000  -- a longer queue is as bad, and counting it would not help
      ) as queue
    ),
    'limits', (
      select jsonb_agg(
        jsonb_build_object(
          'tier', tiers.tier,
          'callsAMinute', ops.calls_a_minute(tiers.tier),
          'callers', found.callers,
          'empty', found.empty
        )
        order by ops.calls_a_minute(tiers.tier)
      )
      from unnest('{user,pro,operator}'::text[]) as tiers (tier)
      cross join lateral (
        select
          count(*) as callers,
          count(*) filter (
            where buckets.full_at > v_at + interval '1 minute' - interval '1 minute' / ops.calls_a_minute(tiers.tier)
          ) as empty
        from ops.buckets
        inner join app.users
          on users.campus_id = p_campus_id
          and users.user_id = substr(buckets.caller, 6)::uuid
          and users.tier = tiers.tier
        where buckets.full_at > v_at
          and buckets.caller like 'user:%'
      ) as found
    )
  );
end;
$function$;

comment on function app.operator_day(text, date, timestamptz) is
'A campus''s day and how the machinery does: {now, campusId, timeZone, day, slots, outbox: {waiting, oldestSeconds}, limits: [{tier, callsAMinute, callers, empty}]}. Refuses no_campus, day_invalid, campus_not_found.';

revoke all on function app.operator_day(text, date, timestamptz) from public;
