-- ops.forget_full_buckets(): delete the buckets that are full: no row says the same. The worker calls it.
--
-- Takes no row that a call holds, and waits for none, so it can't be part of a deadlock.
--
-- Definer: the worker may touch no table.

create or replace function ops.forget_full_buckets()
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_count integer;
begin
  delete from ops.buckets
  where buckets.caller in (
    select full_ones.caller
    from ops.buckets as full_ones
    where full_ones.full_at <= clock_timestamp()
    for update skip locked
  );
  get diagnostics v_count = row_count;
  return v_count;
end;
$function$;

comment on function ops.forget_full_buckets() is
'Delete the buckets that are full again; returns how many.';

revoke all on function ops.forget_full_buckets() from public;
grant execute on function ops.forget_full_buckets() to circle27_worker;
