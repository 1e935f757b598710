-- api.get_button_states(p_day): every slot of a day in one call, as the caller sees it.
--
-- The generic plan: making one for each call's own values costs more than running it.
--
-- Definer: it reads the tables as their owner, once the token has said who asks; members hold no right on them.

create or replace function api.get_button_states(p_day date default null)
returns json
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  v_now    timestamptz := app.clock();
begin
  if p_day not between date '2000-01-01' and date '2199-12-31' then
    perform app.refuse('day_invalid');
  end if;

  return json_build_object(
    'now', v_now,
    'slots', app.day_states(v_member.campus_id, v_member.user_id, v_member.time_zone, p_day, v_now)
  );
end;
$function$;

comment on function api.get_button_states(date) is
'Every slot of a day as the caller sees it.

By default today on the campus. Gives {now, slots}.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, day_invalid.';

revoke all on function api.get_button_states(date) from public;
grant execute on function api.get_button_states(date) to authenticated;
