-- api.reports(p_before, p_limit, p_campus_id): what members told the operators. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: who has read, and who was denied, is in the trail.
--
-- Definer: nobody may read the table.

create or replace function api.reports(
  p_before timestamptz default null, p_limit integer default 100, p_campus_id text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
  v_reader_id uuid := case when not app.is_service() then auth.uid() end;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'reports.read_denied');
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  perform audit.record(
    'reports.read', v_campus_id, v_reader_id, null, jsonb_build_object('before', p_before, 'limit', p_limit)
  );
  return app.campus_reports(v_campus_id, p_before, p_limit, v_reader_id);
end;
$function$;

comment on function api.reports(timestamptz, integer, text) is
'What members told the operators.

Gives {reports: [{createdAt, timeSlot, by: {userId, displayName}, about: {userId, displayName, suspendedUntil}, reason, comment}]} before p_before (by default now), at most p_limit, the newest first. For operators, on their own campus, but for reports about themselves, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, limit_invalid.';

revoke all on function api.reports(timestamptz, integer, text) from public;
grant execute on function api.reports(timestamptz, integer, text) to authenticated, service_role;
