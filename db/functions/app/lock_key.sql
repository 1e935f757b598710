-- app.lock_key(p_kind, p_name, p_at): the advisory lock of a thing, and the order in which locks are taken.
--
--   0. 'service' <what>              exclusive: a trusted server that writes for many members in one call.
--   1. 'member' <user_id>            exclusive: whatever a member writes. Two devices of one member take turns.
--   2. 'slot' <campus_id>, <slot>    shared: joining and leaving; exclusive: matching and cancelling.
--   3. 'pairs' <campus_id>           shared: blocking; exclusive: matching, cancelling and giving up a place, which read
--                                    the walls, deal the campus's spots, and write who has met whom.
--
-- Each is held to the end of the transaction. Waiting only ever for a later kind keeps everyone out of a circle of
-- waiting; two cases need more. A member who joins several slots in one call holds several of kind 2: so nobody who holds
-- one exclusively waits for another (app.run_due_deadlines() tries), and nobody who holds the pairs waits at all. A
-- trusted server that writes for many takes a member's lock while it holds a slot: at worst PostgreSQL puts the queue in
-- another order, after a second (tried: no error).
--
-- Advisory, not row locks: at the last minute each join would write to the one hot row of the slot (measured: a third
-- of the throughput). An advisory lock costs next to nothing. Two things may share a number (64 bits): then they wait
-- for each other once in an age, and nothing else happens. Any instant has a key, infinity and the year 294276 too: that
-- there is no such slot is found out with the lock held.

create or replace function app.lock_key(p_kind text, p_name text, p_at timestamptz default null)
returns bigint
language sql
stable
parallel safe
as $function$
  select pg_catalog.hashtextextended(
    p_kind || ' ' || p_name,
    case when isfinite(p_at) then (extract(epoch from p_at) * 1000)::pg_catalog.int8 else 0 end
  )
$function$;

comment on function app.lock_key(text, text, timestamptz) is
'The key of the advisory lock of a member, of a slot, or of the pairs of a campus.';

revoke all on function app.lock_key(text, text, timestamptz) from public;
