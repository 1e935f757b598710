-- identity.queue_slot_mails(p_campus_id, p_time_slot, p_life): a mail about their circle to everybody of one slot: one row.
--
-- Everybody waits for the matching, so it does not write 2,500 mails: identity.take_mails() does, when this one is due. In
-- ten seconds: by then all have heard by the stream. After p_life it is of no use; nothing is queued if that is now.
--
-- Definer: called by the app as circle27_owner, which sees no table of this schema.

create or replace function identity.queue_slot_mails(
  p_campus_id text, p_time_slot timestamptz, p_life interval, p_now timestamptz default clock_timestamp()
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  insert into identity.mails (kind, facts, created_at, expires_at, next_try_at)
  select
    'circles',
    jsonb_build_object('campusId', p_campus_id, 'timeSlot', p_time_slot),
    p_now,
    p_now + p_life,
    p_now + interval '10 seconds'
  where p_life > interval '0';
end;
$function$;

comment on function identity.queue_slot_mails(text, timestamptz, interval, timestamptz) is
'Put the mails about their circles to everybody of one slot into the queue, as one row that is taken apart later.';

revoke all on function identity.queue_slot_mails(text, timestamptz, interval, timestamptz) from public;
grant execute on function identity.queue_slot_mails(text, timestamptz, interval, timestamptz) to circle27_owner;
