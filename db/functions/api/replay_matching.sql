-- api.replay_matching(p_time_slot, p_campus_id): match a slot of the past again, on paper. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the tables.

create or replace function api.replay_matching(p_time_slot timestamptz, p_campus_id text default null)
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
  v_campus_id := app.operator_campus(p_campus_id, 'slot.replay_denied', p_time_slot);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.replay_matching(v_campus_id, p_time_slot);
end;
$function$;

comment on function api.replay_matching(timestamptz, text) is
'Match a slot of the past again, on paper.

Gives {campusId, timeSlot, matchedAt, seed, people, same, seatedElsewhere, then and now: {circles, leftOut, repeatedPairs, repeatedWithinGap}}: whether today''s rules seat the same people together, given what was known then. Changes nothing. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, slot_not_found, not_matched_yet, inputs_not_kept.';

revoke all on function api.replay_matching(timestamptz, text) from public;
grant execute on function api.replay_matching(timestamptz, text) to authenticated, service_role;
