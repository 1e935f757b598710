-- app.delete_member(p_campus_id, p_user_id): erase what is personal, keep what happened. Repeatable.
--
-- Gone: address, name, attributes, tier, comments, codes and mail, the sessions' clients and addresses, old values beside
-- the trail. Kept: that somebody was on a list, in a circle, gave a rating, blocked, was blocked; what was reported, for the
-- safety of others; and the trail, until its year is dropped. The circles of others stay whole, and who comes back with the
-- same address is the same member, behind the same walls.
--
-- Leaves the lists that are not matched yet and the circles that are still to meet. A list that is being matched at this
-- moment is waited for. The row of app.users comes late: its new address locks out whoever refers to it.

create or replace function app.delete_member(p_campus_id text, p_user_id uuid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_email     text;
  v_closed_at timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  perform pg_advisory_xact_lock(app.lock_key('member', p_user_id::text));

  select users.email, directory.closed_at
  into v_email, v_closed_at
  from app.users
  inner join app.user_campuses as directory on directory.user_id = p_user_id
  where users.campus_id = p_campus_id
    and users.user_id = p_user_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;

  -- The address of who is gone stands for another one: to erase it again would make the member a stranger.
  if v_closed_at is null then
    perform app.leave_ahead(p_campus_id, p_user_id);

    update app.feedback
    set comment = null
    where feedback.campus_id = p_campus_id
      and feedback.user_id = p_user_id
      and feedback.comment is not null;

    perform audit.record('user.deleted', p_campus_id, p_user_id);
    perform identity.erase(p_user_id, v_email, clock_timestamp());
    perform audit.erase(p_user_id);

    update app.users
    set email = identity.address_pseudonym(v_email),
      display_name = 'Former member',
      tier = 'user',
      attributes = '{}',
      circle_mail = true
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id;

    update app.user_campuses as directory
    set closed_at = clock_timestamp()
    where directory.user_id = p_user_id;
  end if;

  return jsonb_build_object('deleted', true);
end;
$function$;

comment on function app.delete_member(text, uuid) is
'Erase what is personal of a member, keep what happened: {deleted}. Refuses no_campus, member_not_found.';

revoke all on function app.delete_member(text, uuid) from public;
