-- app.emit_circles(p_campus_id, p_time_slot): tell every member on the list of a matched slot which circle they are in.
--
-- The whole circle is in the message, so that nobody has to ask: at this second everyone would. Who is in none hears
-- why. Each circle is put together once.
--
-- requires: app.circle_facts

create or replace function app.emit_circles(p_campus_id text, p_time_slot timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.use_campus_zone(p_campus_id);

  insert into events.outbox (campus_id, channel, event, payload)
  select p_campus_id, 'user:' || members.user_id, 'circle', facts.circle
  from (
    select circles.circle_no, app.circle_facts(p_campus_id, p_time_slot, circles.circle_no) as circle
    from app.circles
    where circles.campus_id = p_campus_id
      and circles.time_slot = p_time_slot
    offset 0
  ) as facts
  inner join app.circle_members as members
    on members.campus_id = p_campus_id
    and members.time_slot = p_time_slot
    and members.circle_no = facts.circle_no
    and members.cancelled_at is null;

  insert into events.outbox (campus_id, channel, event, payload)
  select
    p_campus_id,
    'user:' || entries.user_id,
    'circle',
    jsonb_build_object('timeSlot', p_time_slot, 'circleNo', null, 'reason', 'no_circle_formed')
  from app.waitlist_entries as entries
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.left_at is null
    and not exists (
      select
      from app.circle_members as members
      where members.campus_id = p_campus_id
        and members.time_slot = p_time_slot
        and members.user_id = entries.user_id
        and members.cancelled_at is null
    );
end;
$function$;

comment on function app.emit_circles(text, timestamptz) is
'Put an event `circle` for each member on the list of a matched slot into the outbox: the circle, or circleNo null and a reason.';

revoke all on function app.emit_circles(text, timestamptz) from public;
