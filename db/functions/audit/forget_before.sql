-- audit.forget_before(p_year): drop the trail of the years before this one, whole; returns the names of their partitions.
--
-- The only way in which lines go, and nobody but who deploys may call it. The last year and this one always stay. Repeatable.

create or replace function audit.forget_before(p_year integer)
returns setof text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_first     timestamptz;
  v_outside   boolean;
  v_partition text;
begin
  if p_year is null or p_year not between 2000 and extract(year from clock_timestamp() at time zone 'UTC') - 1 then
    perform app.refuse('year_invalid');
  end if;
  v_first := make_timestamptz(p_year, 1, 1, 0, 0, 0, 'UTC');

  perform pg_advisory_xact_lock(hashtextextended('audit.log', 0));

  for v_partition in
    select partitions.relname
    from pg_inherits as parts
    inner join pg_class as partitions on partitions.oid = parts.inhrelid
    where parts.inhparent = 'audit.log'::regclass
      and partitions.relname ~ '^log_[0-9]{4}$'
      and right(partitions.relname, 4)::integer < p_year
    order by partitions.relname
  loop
    execute format('drop table audit.%I', v_partition);
    return next v_partition;
  end loop;

  v_outside := exists (select from audit.log_default where log_default.at < v_first);
  if v_outside then
    perform audit.renew_partitions('{}', v_first);
    return next 'log_default';
  end if;

  delete from audit.changes where changes.at < v_first;
  if v_partition is not null or v_outside then
    perform audit.record('trail.dropped', null, null, null, jsonb_build_object('before', p_year));
  end if;
end;
$function$;

comment on function audit.forget_before(integer) is
'Drop the trail of the years before this one (UTC); the names of the partitions that held it. Refuses year_invalid.';

revoke all on function audit.forget_before(integer) from public;
