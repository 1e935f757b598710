-- app.emit(p_campus_id, p_channel, p_event, p_payload): put one event into the outbox.
--
-- In the transaction that caused it: it is told if and only if that commits. No NOTIFY, whose lock at commit
-- is one for the whole cluster. The channel is user:<user_id>, session:<session_id> (lower-case uuids)
-- or campus:<campus_id>; the table refuses all else, an event's name beyond a-z and _, and a payload above 16 kB.
--
-- Part of every join, so without settings of its own.

create or replace function app.emit(p_campus_id text, p_channel text, p_event text, p_payload jsonb)
returns void
language plpgsql
volatile
as $function$
begin
  insert into events.outbox (campus_id, channel, event, payload)
  values (p_campus_id, p_channel, p_event, p_payload);
end;
$function$;

comment on function app.emit(text, text, text, jsonb) is
'Put one event into the outbox, in the transaction that caused it.';

revoke all on function app.emit(text, text, text, jsonb) from public;
