-- app.button_state(...): Method 7, the one rule of the button. All else calls it.
--
-- Reads no table and no clock. Before the deadline the waitlist decides, after it the circle, after the end
-- the feedback; a boundary belongs to what comes after it. Each return is a line of the specification.
--
-- Honestly immutable: the object is put together as text (json_build_object() is only STABLE), the hour by
-- app.hour_text(). PL/pgSQL, for only what is reached costs anything; and without settings of its own. Inlined
-- SQL was tried: setting up the whole expression at every call cost three times as much.
--
-- requires: app.hour_text

create or replace function app.button_state(
  p_now timestamptz,
  p_deadline_at timestamptz,
  p_ends_at timestamptz,
  p_time_zone text,
  p_on_waitlist boolean,
  p_in_circle boolean,
  p_feedback_given boolean
)
returns json
language plpgsql
immutable
strict
parallel safe
as $function$
declare
  v_hour text := app.hour_text((p_deadline_at at time zone p_time_zone)::pg_catalog.time);
begin
  if p_now < p_deadline_at then
    if p_on_waitlist then
      return (
        '{"buttonState": "leave", "buttonText": "Can''t Go", "middleText": "Decide by ' || v_hour || '", "isDisabled": false}'
      )::pg_catalog.json;
    end if;
    return (
      '{"buttonState": "join", "buttonText": "Join", "middleText": "Decide by ' || v_hour || '", "isDisabled": false}'
    )::pg_catalog.json;
  end if;

  if not p_in_circle then
    return (
      '{"buttonState": "past", "buttonText": "Past", "middleText": "Closed at ' || v_hour || '", "isDisabled": true}'
    )::pg_catalog.json;
  end if;

  if p_now < p_ends_at then
    return (
      '{"buttonState": "confirmed", "buttonText": "Confirmed ✓", "middleText": "Confirmed at ' || v_hour || '", "isDisabled": false}'
    )::pg_catalog.json;
  end if;

  if p_feedback_given then
    return (
      '{"buttonState": "past", "buttonText": "Past", "middleText": "Confirmed at ' || v_hour || '", "isDisabled": true}'
    )::pg_catalog.json;
  end if;
  return (
    '{"buttonState": "feedback", "buttonText": "Feedback >", "middleText": "Confirmed at ' || v_hour || '", "isDisabled": false}'
  )::pg_catalog.json;
end;
$function$;

comment on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean) is
'Method 7: what the button of one member and slot says at p_now. Four keys: buttonState, buttonText, middleText, isDisabled.';

revoke all on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean)
from public;
