-- api.get_button_state(p_user_id, p_time_slot, p_current_time): the seed's call: the button of one slot.
--
-- A member asks for themselves, and the server's clock decides; p_current_time is accepted from clients that
-- send it, and has no effect. service_role may ask for any member and at any time.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.get_button_state(
  p_user_id uuid,
  p_time_slot timestamptz,
  p_current_time timestamptz default null
)
returns json
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $function$
declare
  v_campus_id text;
  v_now       timestamptz := app.clock();
  v_button    json;
begin
  if app.is_service() then
    select directory.campus_id
    into v_campus_id
    from app.user_campuses as directory
    where directory.user_id = p_user_id;

    if not found then
      perform app.refuse('member_not_found');
    end if;
    v_now := coalesce(p_current_time, v_now);
  else
    v_campus_id := app.current_campus_id();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
    if p_user_id is distinct from auth.uid() then
      perform app.refuse('not_yours');
    end if;
  end if;

  v_button := app.button(v_campus_id, p_user_id, p_time_slot, v_now);
  if v_button is null then
    perform app.refuse('slot_not_found');
  end if;

  -- Four keys, and no more: the seed's answer.
  return json_build_object(
    'buttonState', v_button -> 'buttonState',
    'buttonText', v_button -> 'buttonText',
    'middleText', v_button -> 'middleText',
    'isDisabled', v_button -> 'isDisabled'
  );
end;
$function$;

comment on function api.get_button_state(uuid, timestamptz, timestamptz) is
'The button of one slot.

Gives {buttonState, buttonText, middleText, isDisabled}. Members ask for themselves; p_current_time counts for service_role only.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, not_yours, member_not_found, slot_not_found.';

revoke all on function api.get_button_state(uuid, timestamptz, timestamptz) from public;
grant execute on function api.get_button_state(uuid, timestamptz, timestamptz) to authenticated, service_role;
