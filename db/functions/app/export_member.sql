-- app.export_member(p_campus_id, p_user_id): all that is kept about a member, for the member.
--
-- The only place that gives out an address: the member's own, to the member. Of others only what the member knows: not who
-- blocks or reports them, nor what was said about them.
--
-- Of the trail the newest 10,000 lines, as many as api.my_trail() gives at once, which tells the older ones: an hour of joining and
-- leaving writes 300,000, and one call would then keep the database busy for seconds.

create or replace function app.export_member(p_campus_id text, p_user_id uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return jsonb_build_object(
    'profile', app.profile(p_campus_id, p_user_id) || (
      select jsonb_build_object('email', users.email, 'registeredAt', users.created_at)
      from app.users
      where users.campus_id = p_campus_id
        and users.user_id = p_user_id
    ),
    'waitlistEntries', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object('timeSlot', entries.time_slot, 'joinedAt', entries.joined_at, 'leftAt', entries.left_at)
          order by entries.time_slot
        )
        from app.waitlist_entries as entries
        where entries.campus_id = p_campus_id
          and entries.user_id = p_user_id
      ),
      '[]'
    ),
    'circles', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object(
            'timeSlot', places.time_slot, 'circleNo', places.circle_no, 'cancelledAt', places.cancelled_at,
            'attended', places.attended
          )
          order by places.time_slot
        )
        from app.circle_members as places
        where places.campus_id = p_campus_id
          and places.user_id = p_user_id
      ),
      '[]'
    ),
    'feedback', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object(
            'timeSlot', given.time_slot,
            'rating', given.rating,
            'comment', given.comment,
            'createdAt', given.created_at,
            'about', app.stored_feedback_about(p_campus_id, p_user_id, given.time_slot)
          )
          order by given.time_slot
        )
        from app.feedback as given
        where given.campus_id = p_campus_id
          and given.user_id = p_user_id
      ),
      '[]'
    ),
    'reports', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object(
            'timeSlot', told.time_slot,
            'userId', told.reported_id,
            'reason', told.reason,
            'comment', told.comment,
            'createdAt', told.created_at
          )
          order by told.time_slot, told.reported_id
        )
        from app.reports as told
        where told.campus_id = p_campus_id
          and told.user_id = p_user_id
      ),
      '[]'
    ),
    'sessions', identity.member_sessions(p_user_id, null, null),
    'trail', audit.member_trail(p_user_id, 'infinity', 10000)
  );
end;
$function$;

comment on function app.export_member(text, uuid) is
'All that is kept about a member: {profile, waitlistEntries, circles, feedback, reports, sessions, trail}. Refuses no_campus.';

revoke all on function app.export_member(text, uuid) from public;
