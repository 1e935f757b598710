-- app.unblock_user(p_campus_id, p_user_id, p_blocked_id): take the member's own block back. The other's, if any, stays.
--
-- Repeatable: what is not blocked stays so, and nothing tells whether there is such a member.

create or replace function app.unblock_user(p_campus_id text, p_user_id uuid, p_blocked_id uuid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted
  perform pg_advisory_xact_lock_shared(app.lock_key('pairs', p_campus_id));

  delete from app.blocks
  where blocks.campus_id = p_campus_id
    and blocks.user_id = p_user_id
    and blocks.blocked_id = p_blocked_id;
  if found then
    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'block', jsonb_build_object('userId', p_blocked_id, 'blocked', false)
    );
    perform audit.record('user.unblocked', p_campus_id, p_user_id, null, jsonb_build_object('blockedId', p_blocked_id));
  end if;

  return jsonb_build_object('userId', p_blocked_id, 'blocked', false);
end;
$function$;

comment on function app.unblock_user(text, uuid, uuid) is
'Take the member''s own block back: {userId, blocked}. Refuses no_campus, account_deleted.';

revoke all on function app.unblock_user(text, uuid, uuid) from public;
