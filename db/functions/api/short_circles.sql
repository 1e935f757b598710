-- api.short_circles(p_campus_id): the circles ahead that are too small, and could not be merged. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the circles of others.

create or replace function api.short_circles(p_campus_id text default null)
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
  v_campus_id := app.operator_campus(p_campus_id, 'circles.read_denied');
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.short_circles(v_campus_id, app.clock());
end;
$function$;

comment on function api.short_circles(text) is
'The circles ahead that are too small.

Gives {circles: [as in my_circle]}: those with fewer members than the campus''s minimum, as places were given up and no other circle could take the rest. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only.';

revoke all on function api.short_circles(text) from public;
grant execute on function api.short_circles(text) to authenticated, service_role;
