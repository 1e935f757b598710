-- api.set_clock_offset(p_offset): move the clock that slots follow (tests, demos). Trusted servers only.
--
-- Definer: no role of a request may write app.clock_offset.

create or replace function api.set_clock_offset(p_offset interval)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return jsonb_build_object('now', app.set_clock_offset(p_offset));
end;
$function$;

comment on function api.set_clock_offset(interval) is
'Move the clock that slots, deadlines and feedback follow.

Gives {now}. For service_role, in tests and demos.
Refuses clock_offset_invalid.';

revoke all on function api.set_clock_offset(interval) from public;
grant execute on function api.set_clock_offset(interval) to service_role;
