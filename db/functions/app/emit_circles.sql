-- app.emit_circles(p_campus_id, p_time_slot): tell every member on the list of a matched slot which circle they are in.
--
-- The whole circle is in the message, so that nobody has to ask: at this second everyone would. Who is in none hears
-- why. Each circle is put together once.

create or replace function app.emit_circles(p_campus_id text, p_time_slot timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  perform app.use_campus_zone(p_campus_id);

  insert into events.outbox (campus_id, channel, event, payload)
  select p_campus_id, 'user:' || (mates.mate ->> 'userId'), 'circle', facts.circle
  from app.circle_facts(p_campus_id, p_time_slot) as facts
  cross join lateral jsonb_array_elements(facts.circle -> 'members') as mates (mate);

  insert into events.outbox (campus_id, channel, event, payload)
  select
    p_campus_id,
    'user:' || entries.user_id,
    'circle',
    jsonb_build_object('timeSlot', p_time_slot, 'circleNo', null, 'reason', 'no_circle_formed')
  from app.waitlist_entries as entries
  -- By the primary key: `limit 1` leaves no other way. The planner knows nothing of rows that were written a moment ago.
  left join lateral (
    select true as seated
    from app.circle_members as members
    where members.campus_id = p_campus_id
      and members.time_slot = p_time_slot
      and members.user_id = entries.user_id
    limit 1
  ) as places on true
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.left_at is null
    and places.seated is null;
end;
$function$;

comment on function app.emit_circles(text, timestamptz) is
'Put an event `circle` for each member on the list of a matched slot into the outbox: the circle, or circleNo null and a reason.';

revoke all on function app.emit_circles(text, timestamptz) from public;
