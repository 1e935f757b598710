-- audit.open_partitions(p_now): make the trail's years ready, this one and the two after it; returns how many were made.
--
-- Repeatable, and safe beside itself: who comes second waits, and finds them.
--
-- Definer: the worker calls it, and may make nothing itself.

create or replace function audit.open_partitions(p_now timestamptz default clock_timestamp())
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_year  integer;
  v_years integer[];
begin
  if p_now is null or p_now not between timestamptz '2000-01-01 00:00+00' and timestamptz '2199-12-31 00:00+00' then
    perform app.refuse('time_invalid');
  end if;
  v_year := extract(year from p_now at time zone 'UTC');

  -- All but once a year there is nothing to do, and nobody to wait for.
  if to_regclass(format('audit.log_%s', v_year + 2)) is not null then
    return 0;
  end if;

  perform pg_advisory_xact_lock(hashtextextended('audit.log', 0));
  v_years := array(
    select years.number
    from generate_series(v_year, v_year + 2) as years (number)
    where to_regclass(format('audit.log_%s', years.number)) is null
    order by years.number
  );
  if v_years <> '{}' then
    perform audit.renew_partitions(v_years, '-infinity');
  end if;
  return cardinality(v_years);
end;
$function$;

comment on function audit.open_partitions(timestamptz) is
'Make the partitions of this year and the next two (UTC); how many were made. Refuses time_invalid.';

revoke all on function audit.open_partitions(timestamptz) from public;
grant execute on function audit.open_partitions(timestamptz) to circle27_worker;
