-- events.outbox_status(): how far telling is behind what has happened. For the monitor.
--
-- Definer: the monitor holds no right on the table, whose payloads are members' own.

create or replace function events.outbox_status()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select jsonb_build_object(
      'waiting', count(*),
      'lagSeconds', coalesce(round(extract(epoch from clock_timestamp() - min(outbox.emitted_at)), 3), 0),
      'streams', (select count(*) from events.streams)
    )
    from events.outbox
  );
end;
$function$;

comment on function events.outbox_status() is
'How many events wait to be told, for how many seconds the oldest one has, and how many streams are held: {waiting, lagSeconds, streams}.';

revoke all on function events.outbox_status() from public;
grant execute on function events.outbox_status() to circle27_monitor;
