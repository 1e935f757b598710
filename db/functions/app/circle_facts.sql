-- app.circle_facts(p_campus_id, p_time_slot, p_circle_no): one circle, as its members see it.
--
-- Names and ids of those who come, and the spot; never an e-mail address. In the order of names, not of any number.

create or replace function app.circle_facts(p_campus_id text, p_time_slot timestamptz, p_circle_no integer)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select jsonb_build_object(
      'timeSlot', circles.time_slot,
      'circleNo', circles.circle_no,
      'spot',
      (
        select jsonb_build_object('spotId', spots.spot_id, 'name', spots.name)
        from app.meeting_spots as spots
        where spots.campus_id = p_campus_id
          and spots.spot_id = circles.spot_id
      ),
      'members',
      (
        select jsonb_agg(
          jsonb_build_object('userId', users.user_id, 'displayName', users.display_name)
          order by users.display_name, users.user_id
        )
        from app.circle_members as members
        inner join app.users
          on users.campus_id = p_campus_id
          and users.user_id = members.user_id
        where members.campus_id = p_campus_id
          and members.time_slot = p_time_slot
          and members.circle_no = p_circle_no
          and members.cancelled_at is null
      )
    )
    from app.circles
    where circles.campus_id = p_campus_id
      and circles.time_slot = p_time_slot
      and circles.circle_no = p_circle_no
  );
end;
$function$;

comment on function app.circle_facts(text, timestamptz, integer) is
'One circle as its members see it: {timeSlot, circleNo, spot: {spotId, name} or null, members: [{userId, displayName}]}.';

revoke all on function app.circle_facts(text, timestamptz, integer) from public;
