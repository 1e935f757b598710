-- identity.queue_circle_mails(...): a mail about one slot's circle to each of these members, to be written when it is taken.
--
-- Due after p_pause, of no use after p_life.
--
-- One that still waits is enough, for it will say what is true when it is sent. One that is on its way may be too early:
-- it counts as another attempt, so that it is not forgotten when that one was sent, and goes out again.
--
-- Definer: called by the app as circle27_owner, which sees no table of this schema.

create or replace function identity.queue_circle_mails(
  p_campus_id text,
  p_time_slot timestamptz,
  p_user_ids uuid[],
  p_recipients text[],
  p_life interval,
  p_pause interval,
  p_now timestamptz default clock_timestamp()
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  insert into identity.mails as mails (kind, recipient, facts, created_at, expires_at, next_try_at)
  select
    'circle',
    told.recipient,
    jsonb_build_object('campusId', p_campus_id, 'userId', told.user_id, 'timeSlot', p_time_slot),
    p_now,
    p_now + p_life,
    p_now + p_pause
  from unnest(p_user_ids, p_recipients) as told (user_id, recipient)
  on conflict (recipient, (facts ->> 'timeSlot')) where kind = 'circle' do update
  set attempts = mails.attempts + 1, next_try_at = excluded.next_try_at
  where mails.attempts > 0;
end;
$function$;

comment on function identity.queue_circle_mails(text, timestamptz, uuid[], text[], interval, interval, timestamptz) is
'Put a mail about one slot''s circle to each of these members into the queue; one that waits already is enough.';

revoke all on function identity.queue_circle_mails(
  text, timestamptz, uuid[], text[], interval, interval, timestamptz
) from public;
grant execute on function identity.queue_circle_mails(
  text, timestamptz, uuid[], text[], interval, interval, timestamptz
) to circle27_owner;
