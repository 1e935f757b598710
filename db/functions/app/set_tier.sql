-- app.set_tier(p_campus_id, p_user_id, p_tier): make a member an operator, or pro, or take it back. Repeatable.
--
-- For who administers the database: no role of a request may call it. A function, and not an update by hand, so that who was
-- given power, and when, is in the trail.

create or replace function app.set_tier(p_campus_id text, p_user_id uuid, p_tier text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_before text;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  perform app.lock_member(p_user_id);  -- refuses account_deleted

  select users.tier
  into v_before
  from app.users
  where users.campus_id = p_campus_id
    and users.user_id = p_user_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;

  if v_before is distinct from p_tier then
    update app.users
    set tier = p_tier
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id;

    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'profile', app.profile(p_campus_id, p_user_id) - 'blocked'
    );
    perform audit.record(
      'user.tier_set', p_campus_id, p_user_id, null, jsonb_build_object('old', v_before, 'new', p_tier)
    );
  end if;

  return jsonb_build_object('userId', p_user_id, 'tier', p_tier);
end;
$function$;

comment on function app.set_tier(text, uuid, text) is
'Make a member user, pro or operator: {userId, tier}. Refuses no_campus, account_deleted, member_not_found.';

revoke all on function app.set_tier(text, uuid, text) from public;
