-- ops.spend(p_caller, p_quota, p_window, p_now): take one token out of a caller's bucket.
--
-- p_quota at once, p_quota / p_window after: over any time t at most p_quota + p_quota * t / p_window. Exact however
-- many callers meet: the row's lock is held until the transaction ends, and a transaction that fails gives its token
-- back. An empty bucket stays as it is: a denied call spends nothing.
--
-- The clock is read within the statement, for it must be read when the row is held: a caller who waited would be
-- measured by the time before the wait. p_now is for tests.
--
-- No settings of its own: part of every write. Who calls it pins search_path.

create or replace function ops.spend(
  p_caller text,
  p_quota integer,
  p_window interval,
  p_now timestamptz default null,
  out remaining integer,
  out retry_after integer
)
returns record
language plpgsql
volatile
as $function$
declare
  v_pace interval := p_window / p_quota;
begin
  insert into ops.buckets as buckets (caller, full_at)
  values (p_caller, coalesce(p_now, clock_timestamp()) + v_pace)
  on conflict on constraint buckets_pkey do update
  set full_at = greatest(buckets.full_at, coalesce(p_now, clock_timestamp())) + v_pace
  where buckets.full_at + v_pace <= coalesce(p_now, clock_timestamp()) + p_window
  returning
    floor(
      extract(epoch from coalesce(p_now, clock_timestamp()) + p_window - buckets.full_at) / extract(epoch from v_pace)
    )
  into remaining;

  if found then
    return;
  end if;

  -- Still locked by this transaction, so it is what was compared.
  retry_after := (
    select greatest(1, ceil(extract(epoch from buckets.full_at + v_pace - p_window - coalesce(p_now, clock_timestamp()))))
    from ops.buckets
    where buckets.caller = p_caller
  );
end;
$function$;

comment on function ops.spend(text, integer, interval, timestamptz) is
'Take one token of p_quota a p_window: what remains; or, where none is left, in how many seconds to come back.';

revoke all on function ops.spend(text, integer, interval, timestamptz) from public;
