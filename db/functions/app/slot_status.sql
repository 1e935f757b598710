-- app.slot_status(...): where a slot is in its life, for everyone alike.
--
--   open -> matching -> matched -> ended, and from each of the first three: cancelled.
--
-- What is written down outweighs the clock: a matched slot never reopens, a cancelled one stays cancelled.

create or replace function app.slot_status(
  p_now timestamptz,
  p_deadline_at timestamptz,
  p_ends_at timestamptz,
  p_matched_at timestamptz,
  p_cancelled_at timestamptz
)
returns text
language sql
immutable
parallel safe
as $function$
  select case
    when p_cancelled_at is not null then 'cancelled'
    when p_now >= p_ends_at then 'ended'
    when p_matched_at is not null then 'matched'
    when p_now >= p_deadline_at then 'matching'
    else 'open'
  end
$function$;

comment on function app.slot_status(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) is
'Where a slot is in its life at p_now: open, matching, matched, ended or cancelled.';

revoke all on function app.slot_status(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) from public;
