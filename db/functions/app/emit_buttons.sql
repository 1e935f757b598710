-- app.emit_buttons(p_campus_id, p_time_slot, p_now): tell every member on the list what their button says now.
--
-- One statement for all of them, in the transaction that changed the slot. Members differ in three facts only: each state is
-- put together once.
--
-- requires: app.slot_state

create or replace function app.emit_buttons(p_campus_id text, p_time_slot timestamptz, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  perform app.use_campus_zone(p_campus_id);

  insert into events.outbox (campus_id, channel, event, payload)
  with listed as materialized (
    select
      entries.user_id,
      members.in_circle is true as in_circle,
      given.feedback is true as feedback_given,
      greatest(slots.version, entries.version) as version
    from app.time_slots as slots
    inner join app.waitlist_entries as entries
      on entries.campus_id = p_campus_id
      and entries.time_slot = p_time_slot
      and entries.left_at is null
    -- By their primary keys: `limit 1` leaves no other way. The planner knows nothing of rows that were written a moment ago.
    left join lateral (
      select circle_members.cancelled_at is null as in_circle
      from app.circle_members
      where circle_members.campus_id = p_campus_id
        and circle_members.time_slot = p_time_slot
        and circle_members.user_id = entries.user_id
      limit 1
    ) as members on true
    left join lateral (
      select true as feedback
      from app.feedback
      where feedback.campus_id = p_campus_id
        and feedback.time_slot = p_time_slot
        and feedback.user_id = entries.user_id
      limit 1
    ) as given on true
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  ),

  states as materialized (
    select
      facts.in_circle,
      facts.feedback_given,
      facts.version,
      app.slot_state(
        p_now,
        campuses.time_zone,
        slots.time_slot,
        slots.deadline_at,
        slots.ends_at,
        slots.matched_at,
        slots.cancelled_at,
        true,
        facts.in_circle,
        facts.feedback_given,
        facts.version
      )::jsonb as state
    from (select distinct listed.in_circle, listed.feedback_given, listed.version from listed) as facts
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
    inner join app.campuses on campuses.campus_id = p_campus_id
  )

  select p_campus_id, 'user:' || listed.user_id, 'button', states.state
  from listed
  inner join states using (in_circle, feedback_given, version);
end;
$function$;

comment on function app.emit_buttons(text, timestamptz, timestamptz) is
'Put an event `button` for each member on the slot''s list into the outbox: the slot as that member sees it at p_now.';

revoke all on function app.emit_buttons(text, timestamptz, timestamptz) from public;
