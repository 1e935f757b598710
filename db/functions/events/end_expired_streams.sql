-- events.end_expired_streams(): end the streams whose token has run out. Returns how many.
--
-- An event `session` on a session's channel makes the worker delete the channel, which ends its streams. `over` is false:
-- the session goes on, and the client comes back with a fresh token.
--
-- Definer: the worker holds no right on the table.

create or replace function events.end_expired_streams()
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_people uuid[];
  v_count  integer;
begin
  with ended as (
    delete from events.streams
    where streams.expires_at <= clock_timestamp()
    returning streams.campus_id, streams.session_id, streams.user_id
  ), told as (
    insert into events.outbox (campus_id, channel, event, payload)
    select distinct ended.campus_id, 'session:' || ended.session_id, 'session', jsonb_build_object('over', false)
    from ended
    returning outbox.id
  )

  select (select array_agg(ended.user_id) from ended), count(*)
  into v_people, v_count
  from told;

  perform app.emit_presence(v_people);
  return v_count;
end;
$function$;

comment on function events.end_expired_streams() is
'End the streams whose token has run out, by an event to their sessions; how many sessions.';

revoke all on function events.end_expired_streams() from public;
grant execute on function events.end_expired_streams() to circle27_worker;
