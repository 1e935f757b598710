-- app.profile(p_campus_id, p_user_id): a member as they see themselves. No e-mail address, not even here.
--
-- Whom they block, too; by name only if they were in a circle together: a block must not be a way to learn names.

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
      'circleMail', users.circle_mail,
      'suspendedUntil', (
        select directory.suspended_until
        from app.user_campuses as directory
        where directory.user_id = p_user_id
          and directory.suspended_until > clock_timestamp()
      ),
      'blocked',
      coalesce(
        (
          select jsonb_agg(
            jsonb_build_object(
              'userId', others.user_id,
              'displayName', case when exists (
                select
                from app.circle_members as own
                inner join app.circle_members as mates
                  on mates.campus_id = p_campus_id
                  and mates.time_slot = own.time_slot
                  and mates.user_id = others.user_id
                  and mates.circle_no = own.circle_no
                where own.campus_id = p_campus_id
                  and own.user_id = p_user_id
              ) then others.display_name end
            )
            order by blocks.created_at, others.user_id
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
'A member as they see themselves: {userId, campusId, timeZone, displayName, tier, attributes, circleMail, suspendedUntil, blocked: [{userId, displayName or null}]}.';

revoke all on function app.profile(text, uuid) from public;
