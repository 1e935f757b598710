-- app.operator_campus(p_campus_id, p_denied, p_time_slot, p_details): the campus on which the caller acts as an operator.
--
-- An operator's own, which need not be named; a trusted server's is the one that it names. Null for everybody else: the
-- attempt is in the trail as p_denied, and the caller of this returns app.denial('operators_only'), so that it stays there.
--
-- requires: app.refuse, app.is_service, app.current_member, app.is_operator

create or replace function app.operator_campus(
  p_campus_id text, p_denied text, p_time_slot timestamptz default null, p_details jsonb default null
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record;
begin
  if app.is_service() then
    if p_campus_id is null then
      perform app.refuse('no_campus');
    end if;
    return p_campus_id;
  end if;

  v_member := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  if p_campus_id <> v_member.campus_id or not app.is_operator(v_member.campus_id, v_member.user_id) then
    perform audit.record(p_denied, v_member.campus_id, v_member.user_id, p_time_slot, p_details);
    return null;
  end if;
  return v_member.campus_id;
end;
$function$;

comment on function app.operator_campus(text, text, timestamptz, jsonb) is
'The campus on which the caller acts as an operator, or null, with p_denied in the trail. Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function app.operator_campus(text, text, timestamptz, jsonb) from public;
