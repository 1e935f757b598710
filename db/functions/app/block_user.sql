-- app.block_user(p_campus_id, p_user_id, p_blocked_id): never match these two again, whichever of them blocks.
--
-- Waits for a matching of the campus that is under way: after it was answered, no circle forms with both in it. One that
-- was formed before stays. The other is never told. Repeatable.

create or replace function app.block_user(p_campus_id text, p_user_id uuid, p_blocked_id uuid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_blocked_id = p_user_id then
    perform app.refuse('block_oneself');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted
  perform pg_advisory_xact_lock_shared(app.lock_key('pairs', p_campus_id));

  if not exists (
    select
    from app.users
    where users.campus_id = p_campus_id
      and users.user_id = p_blocked_id
  ) then
    perform app.refuse('member_not_found');
  end if;

  insert into app.blocks (campus_id, user_id, blocked_id)
  values (p_campus_id, p_user_id, p_blocked_id)
  on conflict on constraint blocks_pkey do nothing;
  if found then
    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'block', jsonb_build_object('userId', p_blocked_id, 'blocked', true)
    );
    perform audit.record('user.blocked', p_campus_id, p_user_id, null, jsonb_build_object('blockedId', p_blocked_id));
  end if;

  return jsonb_build_object('userId', p_blocked_id, 'blocked', true);
end;
$function$;

comment on function app.block_user(text, uuid, uuid) is
'Never match these two again: {userId, blocked}. Refuses no_campus, account_deleted, block_oneself, member_not_found.';

revoke all on function app.block_user(text, uuid, uuid) from public;
