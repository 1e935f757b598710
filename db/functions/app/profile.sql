-- app.profile(p_campus_id, p_user_id): a member as they see themselves. No e-mail address, not even here.

create or replace function app.profile(p_campus_id text, p_user_id uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select jsonb_build_object(
      'userId', users.user_id,
      'campusId', users.campus_id,
      'timeZone', campuses.time_zone,
      'displayName', users.display_name,
      'tier', users.tier,
      'attributes', users.attributes,
      'blocked',
      coalesce(
        (
          select jsonb_agg(
            jsonb_build_object('userId', others.user_id, 'displayName', others.display_name)
            order by others.display_name, others.user_id
          )
          from app.blocks
          inner join app.users as others
            on others.campus_id = p_campus_id
            and others.user_id = blocks.blocked_id
          where blocks.campus_id = p_campus_id
            and blocks.user_id = p_user_id
        ),
        '[]'
      )
    )
    from app.users
    inner join app.campuses on campuses.campus_id = p_campus_id
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id
  );
end;
$function$;

comment on function app.profile(text, uuid) is
'A member as they see themselves: {userId, campusId, timeZone, displayName, tier, attributes, blocked: [{userId, displayName}]}.';

revoke all on function app.profile(text, uuid) from public;
