-- api.suspend_user(p_user_id, p_until, p_reason, p_campus_id): let a member join nothing until then.
--
-- For operators, on their campus, and trusted servers. A denied attempt is in the trail.
--
-- Definer: no role of a request may write the tables.

create or replace function api.suspend_user(
  p_user_id uuid, p_until timestamptz, p_reason text, p_campus_id text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text := p_campus_id;
  v_member    record;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  if not app.is_service() then
    v_member := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
    v_campus_id := v_member.campus_id;
    if p_campus_id <> v_campus_id or not app.is_operator(v_campus_id, v_member.user_id) then
      perform audit.record(
        'user.suspend_denied', v_campus_id, v_member.user_id, null, jsonb_build_object('userId', p_user_id)
      );
      return app.denial('operators_only');
    end if;
  end if;

  return app.suspend_user(v_campus_id, p_user_id, p_until, p_reason);
end;
$function$;

comment on function api.suspend_user(uuid, timestamptz, text, text) is
'Let a member join nothing for a while.

Gives {userId, suspendedUntil}. Until p_until; null lifts it. They leave the lists and circles ahead, and can read p_reason. For operators, on their own campus, and service_role, which names one. Repeatable.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, suspension_invalid, member_not_found, slot_busy, deadline_passed.';

revoke all on function api.suspend_user(uuid, timestamptz, text, text) from public;
grant execute on function api.suspend_user(uuid, timestamptz, text, text) to authenticated, service_role;
