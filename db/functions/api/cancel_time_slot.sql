-- api.cancel_time_slot(p_time_slot, p_campus_id): call a slot off. For operators, on their campus, and trusted servers.
--
-- Definer: no role of a request may write the tables.

create or replace function api.cancel_time_slot(p_time_slot timestamptz, p_campus_id text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'slot.cancel_denied', p_time_slot);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.cancel_time_slot(v_campus_id, p_time_slot);
end;
$function$;

comment on function api.cancel_time_slot(timestamptz, text) is
'Call a slot off, for good.

Gives what everyone may know of the slot. For operators, on their own campus, and service_role, which names one. Repeatable.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, slot_not_found, slot_ended.';

revoke all on function api.cancel_time_slot(timestamptz, text) from public;
grant execute on function api.cancel_time_slot(timestamptz, text) to authenticated, service_role;
