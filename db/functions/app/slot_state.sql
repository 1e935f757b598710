-- app.slot_state(...): one slot as one member sees it: Method 7 and what the client needs around it.
--
-- Reads no table and no clock. What is written down outweighs the clock: to a slot that was matched or
-- cancelled the deadline has passed, whatever p_now says; and in a cancelled slot nobody is in a circle.
--
-- pending: on the list, the deadline has passed, the matching has not committed yet. The button says `past`
-- then, as Method 7 does; the client keeps the old one, disabled, and looks again at changesAt.
-- changesAt: when this button ends by itself; null when only an event can change it.
--
-- Plain SQL, so that it is inlined into the query, and one format(): this runs for each slot of each poll
-- (json_build_object() costs twice as much). The status is asked for once, so that its line gives all that hangs on it. STABLE and not more, for instants in JSON follow TimeZone.
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
language sql
stable
parallel safe
as $function$
  select format(
    '%s, "timeSlot": %s, "deadlineAt": %s, "endsAt": %s, "slotStatus": "%s, "version": %s}',
    left(
      app.button_state(
        case when coalesce(p_matched_at, p_cancelled_at) is null then p_now else greatest(p_now, p_deadline_at) end,
        p_deadline_at,
        p_ends_at,
        p_time_zone,
        p_on_waitlist,
        p_in_circle and p_cancelled_at is null,
        p_feedback_given
      )::text,
      -1
    ),
    to_json(p_time_slot),
    to_json(p_deadline_at),
    to_json(p_ends_at),
    case app.slot_status(p_now, p_deadline_at, p_ends_at, p_matched_at, p_cancelled_at)
      when 'open' then 'open", "pending": false, "changesAt": ' || to_json(p_deadline_at)::text
      when 'matching' then
        case
          when p_on_waitlist
            then 'matching", "pending": true, "changesAt": ' || to_json(p_now + interval '2 seconds')::text
          else 'matching", "pending": false, "changesAt": null'
        end
      when 'matched' then
        case
          when p_in_circle then 'matched", "pending": false, "changesAt": ' || to_json(p_ends_at)::text
          else 'matched", "pending": false, "changesAt": null'
        end
      when 'ended' then 'ended", "pending": false, "changesAt": null'
      when 'cancelled' then 'cancelled", "pending": false, "changesAt": null'
    end,
    p_version
  )::json
$function$;

comment on function app.slot_state(
  timestamptz, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean, boolean, bigint
) is
'One slot as one member sees it at p_now: the four keys of the button, timeSlot, deadlineAt, endsAt, slotStatus, pending, changesAt, version.';

revoke all on function app.slot_state(
  timestamptz, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean, boolean, bigint
) from public;
