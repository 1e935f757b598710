-- app.enter_open_slot(p_campus_id, p_user_id, p_time_slot): hold a slot open while a member joins or leaves it.
--
-- The clock is read after the lock is held, and so is what is written down: who waited for the matching sees its result.
-- Who is late by the clock is refused before the lock: a late joiner has nothing to wait for, and at a rush would hold
-- one of the pooled connections for as long as the matching takes. That reading counts: a clock that is turned back just
-- then lets nobody in without the lock.
--
-- The member is looked up here, too, with the lock held: who is deleted or suspended while a call waits does not get in.
--
-- Whose deadline has passed is not refused here, but told by `is_open`: who calls may be repeating what was done in time.
--
-- Gives the time, and the slot's own facts, from which who calls makes the button: at the last minute every lookup
-- counts. For the same reason it has no settings of its own: who calls it pins search_path.

create or replace function app.enter_open_slot(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  out entered_at timestamptz,
  out time_zone text,
  out deadline_at timestamptz,
  out ends_at timestamptz,
  out version bigint,
  out is_open boolean,
  out is_suspended boolean
)
returns record
language plpgsql
volatile
as $function$
declare
  v_cancelled_at timestamptz;
  v_matched_at   timestamptz;
  v_closed_at    timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select campuses.time_zone, slots.deadline_at, slots.ends_at
  into enter_open_slot.time_zone, enter_open_slot.deadline_at, enter_open_slot.ends_at
  from app.campuses
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot
  where campuses.campus_id = p_campus_id;

  if not found then
    perform app.refuse('slot_not_found');
  end if;

  entered_at := app.clock();
  if entered_at < enter_open_slot.deadline_at then
    -- One query for both: each costs microseconds. They are taken in the order in which they are written.
    perform
      pg_catalog.pg_advisory_xact_lock(app.lock_key('member', p_user_id::text)),
      pg_catalog.pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, p_time_slot));
    entered_at := app.clock();
  end if;

  select
    slots.cancelled_at, slots.matched_at, slots.version, directory.closed_at,
    coalesce(directory.suspended_until > pg_catalog.clock_timestamp(), false)
  into strict v_cancelled_at, v_matched_at, enter_open_slot.version, v_closed_at, is_suspended
  from app.time_slots as slots
  left join app.user_campuses as directory on directory.user_id = p_user_id
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if v_closed_at is not null then
    perform app.refuse('account_deleted');
  end if;
  if v_cancelled_at is not null then
    perform app.refuse('slot_cancelled');
  end if;
  is_open := v_matched_at is null and entered_at < enter_open_slot.deadline_at;
end;
$function$;

comment on function app.enter_open_slot(text, uuid, timestamptz) is
'Hold an open slot while a member joins or leaves it; returns the time, the slot''s facts, whether it is open, and whether the member is suspended. Refuses no_campus, slot_not_found, account_deleted, slot_cancelled.';

revoke all on function app.enter_open_slot(text, uuid, timestamptz) from public;
