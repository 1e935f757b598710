-- app.slot_state(...): one slot as one member sees it: Method 7 and what the client needs around it.
--
-- Reads no table and no clock. What is written down outweighs the clock: to a slot that was matched or
-- cancelled the deadline has passed, whatever p_now says; and in a cancelled slot nobody is in a circle.
--
-- pending: on the list, the deadline has passed, the matching has not committed yet. The button says `past`
-- then, as Method 7 does; the client keeps the old one, disabled, and looks again at changesAt.
-- changesAt: when this button ends by itself; null when only an event can change it.
--
-- Runs for each slot of each poll: put together as text, which costs half of json_build_object(), and without
-- settings of its own. STABLE and not more, for instants in JSON follow TimeZone.
--
-- requires: app.button_state
-- requires: app.slot_status

create or replace function app.slot_state(
  p_now timestamptz,
  p_time_zone text,
  p_time_slot timestamptz,
  p_deadline_at timestamptz,
  p_ends_at timestamptz,
  p_matched_at timestamptz,
  p_cancelled_at timestamptz,
  p_on_waitlist boolean,
  p_in_circle boolean,
  p_feedback_given boolean,
  p_version bigint
)
returns json
language plpgsql
stable
parallel safe
as $function$
declare
  v_now        timestamptz := p_now;
  v_in_circle  boolean := p_in_circle;
  v_status     text := app.slot_status(p_now, p_deadline_at, p_ends_at, p_matched_at, p_cancelled_at);
  v_pending    text := 'false';
  v_changes_at timestamptz;
begin
  if v_status = 'open' then
    v_changes_at := p_deadline_at;
  elsif v_status = 'matching' then
    if p_on_waitlist then
      v_pending := 'true';
      v_changes_at := p_now + interval '2 seconds';
    end if;
  elsif v_status = 'matched' then
    v_now := greatest(p_now, p_deadline_at);
    if p_in_circle then
      v_changes_at := p_ends_at;
    end if;
  elsif v_status = 'cancelled' then
    v_now := greatest(p_now, p_deadline_at);
    v_in_circle := false;
  end if;

  return (
    left(
      app.button_state(
        v_now, p_deadline_at, p_ends_at, p_time_zone, p_on_waitlist, v_in_circle, p_feedback_given
      )::text,
      -1
    )
    || ', "timeSlot": ' || to_json(p_time_slot)::text
    || ', "deadlineAt": ' || to_json(p_deadline_at)::text
    || ', "endsAt": ' || to_json(p_ends_at)::text
    || ', "slotStatus": "' || v_status
    || '", "pending": ' || v_pending
    || ', "changesAt": ' || coalesce(to_json(v_changes_at)::text, 'null')
    || ', "version": ' || p_version::text
    || '}'
  )::pg_catalog.json;
end;
$function$;

comment on function app.slot_state(
  timestamptz, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean, boolean, bigint
) is
'One slot as one member sees it at p_now: the four keys of the button, timeSlot, deadlineAt, endsAt, slotStatus, pending, changesAt, version.';

revoke all on function app.slot_state(
  timestamptz, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean, boolean, bigint
) from public;
