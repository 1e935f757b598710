-- api.reports(p_before, p_limit, p_campus_id): what members told the operators. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
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
  v_campus_id text := p_campus_id;
  v_member    record;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  if not app.is_service() then
    v_member := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
    v_campus_id := v_member.campus_id;
    if p_campus_id <> v_campus_id or not app.is_operator(v_campus_id, v_member.user_id) then
      perform audit.record('reports.read_denied', v_campus_id, v_member.user_id);
      return app.denial('operators_only');
    end if;
  end if;

  return app.campus_reports(v_campus_id, p_before, p_limit);
end;
$function$;

comment on function api.reports(timestamptz, integer, text) is
'What members told the operators.

Gives {reports: [{createdAt, timeSlot, by: {userId, displayName}, about: {userId, displayName, suspendedUntil}, reason, comment}]} before p_before (by default now), at most p_limit, the newest first. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, limit_invalid.';

revoke all on function api.reports(timestamptz, integer, text) from public;
grant execute on function api.reports(timestamptz, integer, text) to authenticated, service_role;
