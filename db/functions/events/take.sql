-- events.take(p_limit): take the oldest events out of the outbox, in their order.
--
-- Take, publish, commit: a worker that dies in between gives them back. Two workers never get the same event
-- (skip locked); nothing is skipped for good, for there is no cursor.
--
-- Definer: the worker holds no right on the table.

create or replace function events.take(p_limit integer)
returns table (id bigint, campus_id text, channel text, event text, payload jsonb, emitted_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;

  return query
  with taken as (
    delete from events.outbox as queue
    using (
      select oldest.id, oldest.campus_id
      from events.outbox as oldest
      order by oldest.id
      limit p_limit
      for update skip locked
    ) as batch
    where queue.id = batch.id
      and queue.campus_id = batch.campus_id
    returning queue.id, queue.campus_id, queue.channel, queue.event, queue.payload, queue.emitted_at
  )
  select taken.id, taken.campus_id, taken.channel, taken.event, taken.payload, taken.emitted_at
  from taken
  order by taken.id;
end;
$function$;

comment on function events.take(integer) is
'Take up to p_limit of the oldest events out of the outbox, in order. Commit after telling them. Refuses limit_invalid.';

revoke all on function events.take(integer) from public;
grant execute on function events.take(integer) to circle27_worker;
