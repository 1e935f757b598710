-- api.operator_day(p_day, p_campus_id): a campus's day in numbers. For operators, on their campus, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the tables.

create or replace function api.operator_day(p_day date default null, p_campus_id text default null)
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
  v_campus_id := app.operator_campus(p_campus_id, 'day.read_denied');
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.operator_day(v_campus_id, p_day, app.clock());
end;
$function$;

comment on function api.operator_day(date, text) is
'A day of the campus in numbers.

How lists fill, what the matching did, how the machinery does. By default today. Gives {now, campusId, timeZone, day, slots, outbox, limits}. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, campus_not_found, day_invalid.';

revoke all on function api.operator_day(date, text) from public;
grant execute on function api.operator_day(date, text) to authenticated, service_role;
