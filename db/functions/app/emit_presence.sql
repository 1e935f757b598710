-- app.emit_presence(p_user_ids): tell the circle-mates of these members whether they are online now.
--
-- Mates of circles that have not ended yet, and of them who listens; not where one of the two has blocked the other. It says
-- what is so, not what has changed: a second device that comes or goes tells `online` once more, which does no harm.
--
-- Thousands come in one second after an outage. Who is in no such circle costs one look into an index.

create or replace function app.emit_presence(p_user_ids uuid[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now timestamptz := app.clock();
begin
  insert into events.outbox (campus_id, channel, event, payload)
  select distinct
    places.campus_id,
    'user:' || mates.user_id,
    'presence',
    jsonb_build_object('userId', places.user_id, 'online', exists (
      select
      from events.streams
      where streams.campus_id = places.campus_id
        and streams.user_id = places.user_id
    ))
  from app.circle_members as places
  inner join app.time_slots as slots
    on slots.campus_id = places.campus_id
    and slots.time_slot = places.time_slot
    and slots.ends_at > v_now
  inner join app.circle_members as mates
    on mates.campus_id = places.campus_id
    and mates.time_slot = places.time_slot
    and mates.circle_no = places.circle_no
    and mates.cancelled_at is null
    and mates.user_id <> places.user_id
  where places.user_id = any(p_user_ids)
    and places.time_slot > v_now - interval '1 day'  -- for the index: no slot is longer
    and places.cancelled_at is null
    and exists (
      select
      from events.streams
      where streams.campus_id = places.campus_id
        and streams.user_id = mates.user_id
    )
    and not exists (
      select
      from app.blocks
      where blocks.campus_id = places.campus_id
        and (blocks.user_id, blocks.blocked_id) in ((places.user_id, mates.user_id), (mates.user_id, places.user_id))
    );
end;
$function$;

comment on function app.emit_presence(uuid[]) is
'Put an event `presence` for each circle-mate who listens into the outbox: whether these members are online.';

revoke all on function app.emit_presence(uuid[]) from public;
