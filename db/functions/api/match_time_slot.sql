-- api.match_time_slot(p_campus_id, p_time_slot): form the circles of one slot. Trusted servers only.
--
-- Definer: no role of a request may write the tables.

create or replace function api.match_time_slot(p_campus_id text, p_time_slot timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return app.match_time_slot(p_campus_id, p_time_slot);
end;
$function$;

comment on function api.match_time_slot(text, timestamptz) is
'Form the circles of one slot, once.

Gives the report. For service_role. Repeatable.
Refuses no_campus, slot_not_found, slot_cancelled, deadline_not_reached, slot_ended.';

revoke all on function api.match_time_slot(text, timestamptz) from public;
grant execute on function api.match_time_slot(text, timestamptz) to service_role;
