-- events.take(p_limit): take the oldest events out of the outbox, in their order.
--
-- Take, publish, commit: a worker that dies in between gives them back. Two workers never get the same event
-- (skip locked); nothing is skipped for good, for there is no cursor.
--
-- One way through the table, however many rows its statistics know of: the worker plans this while the outbox is empty,
-- and keeps that plan when a matching has put 5,000 rows in. So the order comes from the primary key (no sort), and rows are
-- found again by where they lie (ctid: they are locked, and never updated); a join had read the whole table for each.
--
-- Definer: the worker holds no right on the table.

create or replace function events.take(p_limit integer)
returns table (id bigint, campus_id text, channel text, event text, payload jsonb, emitted_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set enable_sort = off
as $function$
#variable_conflict use_column
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;

  return query
  with taken as (
    delete from events.outbox as queue
    where queue.ctid = any(array(
      select oldest.ctid
      from events.outbox as oldest
      order by oldest.id
      limit p_limit
      for update skip locked
    ))
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
