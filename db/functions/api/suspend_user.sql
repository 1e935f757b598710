-- api.suspend_user(p_user_id, p_until, p_reason, p_campus_id): let a member join nothing until then.
--
-- For operators, on their campus, and trusted servers. A denied attempt is in the trail. Nobody judges their own case: an
-- operator who was suspended would else lift it.
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
  v_campus_id text;
  v_denied    jsonb := jsonb_build_object('userId', p_user_id);
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'user.suspend_denied', null, v_denied);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;
  if not app.is_service() and p_user_id = auth.uid() then
    perform audit.record('user.suspend_denied', v_campus_id, p_user_id, null, v_denied);
    return app.denial('own_case');
  end if;

  return app.suspend_user(v_campus_id, p_user_id, p_until, p_reason);
end;
$function$;

comment on function api.suspend_user(uuid, timestamptz, text, text) is
'Let a member join nothing for a while.

Gives {userId, suspendedUntil}. Until p_until; null lifts it. They leave the lists and circles ahead, and can read p_reason. For operators, on their own campus, and service_role, which names one. Repeatable.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, own_case, suspension_invalid, member_not_found.';

revoke all on function api.suspend_user(uuid, timestamptz, text, text) from public;
grant execute on function api.suspend_user(uuid, timestamptz, text, text) to authenticated, service_role;
