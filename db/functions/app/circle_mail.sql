-- app.circle_mail(p_campus_id, p_user_id, p_time_slot): what a mail tells a member about their circle, as it is now.
--
-- `event` is for the calendar: the same uid at every change, and a sequence that grows with each; times in UTC, as RFC 5545
-- wants them. The rest is for people: the time as it is on the campus, who else comes, where. Null where there is nothing to
-- tell: no place, no such member any more, or one who wants no mail.
--
-- Definer: the identity functions, which take the mail, call it as circle27_auth, and read no table of the app.

create or replace function app.circle_mail(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return (
    select jsonb_build_object(
      'event', jsonb_build_object(
        'uid', format('%s-%s@%s.circle27', extract(epoch from p_time_slot)::bigint, p_user_id, p_campus_id),
        'sequence', places.changes_count + case when slots.cancelled_at is null then 0 else 1 end,
        'status', case when coalesce(places.cancelled_at, slots.cancelled_at) is null then 'CONFIRMED' else 'CANCELLED' end,
        'startsAt', p_time_slot,
        'endsAt', slots.ends_at
      ),
      'slotCancelled', slots.cancelled_at is not null,
      'day', to_char(p_time_slot at time zone campuses.time_zone, 'FMDay, FMDD FMMonth'),
      'hour', app.hour_text(p_time_slot at time zone campuses.time_zone),
      'spot', circles.circle -> 'spot' -> 'name',
      'belowMinimum', coalesce(circles.circle -> 'belowMinimum', 'false'),
      'mates', coalesce(
        (
          select jsonb_agg(members.member -> 'displayName' order by members.number)
          from jsonb_array_elements(circles.circle -> 'members') with ordinality as members (member, number)
          where members.member ->> 'userId' <> p_user_id::text
        ),
        '[]'
      )
    )
    from app.circle_members as places
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
    inner join app.campuses on campuses.campus_id = p_campus_id
    inner join app.users
      on users.campus_id = p_campus_id
      and users.user_id = p_user_id
      and users.circle_mail
    inner join app.user_campuses as directory
      on directory.user_id = p_user_id
      and directory.closed_at is null
    -- Who has given up the place learns no more about the circle.
    left join lateral app.circle_facts(p_campus_id, p_time_slot, places.circle_no) as circles
      on places.cancelled_at is null
      and slots.cancelled_at is null
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = p_user_id
  );
end;
$function$;

comment on function app.circle_mail(text, uuid, timestamptz) is
'What a mail tells a member about their circle: {event: {uid, sequence, status: CONFIRMED or CANCELLED, startsAt, endsAt}, slotCancelled, day, hour, spot or null, belowMinimum, mates: [name]}; null where there is nothing to tell. Refuses no_campus.';

revoke all on function app.circle_mail(text, uuid, timestamptz) from public;
grant execute on function app.circle_mail(text, uuid, timestamptz) to circle27_auth;
