-- app.enter_open_slot(p_campus_id, p_user_id, p_time_slot): hold a slot open while a member joins or leaves it.
--
-- The clock is read after the lock is held, and so is what is written down: who waited for the matching sees its result.
-- Who is late by the clock is refused before the lock: a late joiner has nothing to wait for, and at a rush would hold
-- one of the pooled connections for as long as the matching takes.

create or replace function app.enter_open_slot(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_deadline_at  timestamptz;
  v_cancelled_at timestamptz;
  v_matched_at   timestamptz;
  v_now          timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select slots.deadline_at
  into v_deadline_at
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if not found then
    perform app.refuse('slot_not_found');
  end if;

  if app.clock() < v_deadline_at then
    perform pg_advisory_xact_lock(app.lock_key('member', p_user_id::text));
    perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, p_time_slot));
  end if;
  v_now := app.clock();

  select slots.cancelled_at, slots.matched_at
  into strict v_cancelled_at, v_matched_at
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if v_cancelled_at is not null then
    perform app.refuse('slot_cancelled');
  end if;
  if v_matched_at is not null or v_now >= v_deadline_at then
    perform app.refuse('deadline_passed');
  end if;

  return v_now;
end;
$function$;

comment on function app.enter_open_slot(text, uuid, timestamptz) is
'Hold an open slot while a member joins or leaves it; returns the time. Refuses no_campus, slot_not_found, slot_cancelled, deadline_passed.';

revoke all on function app.enter_open_slot(text, uuid, timestamptz) from public;
