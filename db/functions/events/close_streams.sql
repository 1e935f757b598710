-- events.close_streams(p_stream_ids): these streams have ended. Returns how many were known.
--
-- Many at once, for they end in storms; their circle-mates hear of it. Repeatable: the gateway's porter says each twice (cli/circle27/worker/porter.py).
--
-- Definer: the worker holds no right on the table.

create or replace function events.close_streams(p_stream_ids text[])
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_people uuid[];  -- one for each stream
begin
  with ended as (
    delete from events.streams
    where streams.stream_id = any(p_stream_ids)
    returning streams.user_id
  )

  select array_agg(ended.user_id)
  into v_people
  from ended;

  perform app.emit_presence(v_people);
  return coalesce(cardinality(v_people), 0);
end;
$function$;

comment on function events.close_streams(text[]) is
'Forget streams that have ended; how many.';

revoke all on function events.close_streams(text[]) from public;
grant execute on function events.close_streams(text[]) to circle27_worker;
