-- api.explain_circle(p_time_slot, p_circle_no, p_campus_id): why these people, in words. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the tables.

create or replace function api.explain_circle(
  p_time_slot timestamptz, p_circle_no integer, p_campus_id text default null
)
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
  v_campus_id := app.operator_campus(p_campus_id, 'circle.explain_denied', p_time_slot);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.explain_circle(v_campus_id, p_time_slot, p_circle_no);
end;
$function$;

comment on function api.explain_circle(timestamptz, integer, text) is
'Why these people sit together, in words.

Gives {campusId, timeSlot, circleNo, people: [{userId, displayName, place}], reasons: [sentences]}: what the matching knew when it formed the circle, and what has changed since. Never who blocks whom, who stayed away, or what was said in feedback. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, slot_not_found, not_matched_yet, inputs_not_kept, circle_not_found.';

revoke all on function api.explain_circle(timestamptz, integer, text) from public;
grant execute on function api.explain_circle(timestamptz, integer, text) to authenticated, service_role;
