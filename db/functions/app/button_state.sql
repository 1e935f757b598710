-- app.button_state(...): Method 7, the one rule of the button. All else calls it.
--
-- Reads no table and no clock. Before the deadline the waitlist decides, after it the circle, after the end
-- the feedback; a boundary belongs to what comes after it. Each text below is a line of the specification; each question is
-- asked once, for this is inlined, and what stands there twice is made ready twice at every call.
--
-- Honestly immutable: the object is put together as text (json_build_object() is only STABLE), the hour by
-- app.hour_text(). Plain SQL without a header of settings, so that it is inlined into the queries that call it.
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
language sql
immutable
parallel safe
as $function$
  select (
    case p_now < p_deadline_at
      when true then
        case
          when p_on_waitlist
            then '{"buttonState": "leave", "buttonText": "Can''t Go", "isDisabled": false, "middleText": "Decide by '
          else '{"buttonState": "join", "buttonText": "Join", "isDisabled": false, "middleText": "Decide by '
        end
      when false then
        case
          when not p_in_circle
            then '{"buttonState": "past", "buttonText": "Past", "isDisabled": true, "middleText": "Closed at '
          when p_now < p_ends_at
            then '{"buttonState": "confirmed", "buttonText": "Confirmed ✓", "isDisabled": false, "middleText": "Confirmed at '
          when p_feedback_given
            then '{"buttonState": "past", "buttonText": "Past", "isDisabled": true, "middleText": "Confirmed at '
          else '{"buttonState": "feedback", "buttonText": "Feedback >", "isDisabled": false, "middleText": "Confirmed at '
        end
    end
    || app.hour_text(p_deadline_at at time zone p_time_zone)
    || '"}'
  )::json
$function$;

comment on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean) is
'Method 7: what the button of one member and slot says at p_now. Four keys: buttonState, buttonText, middleText, isDisabled.';

revoke all on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean)
from public;
