-- audit.renew_partitions(p_years, p_from): make partitions of these years, and a new one for what lies outside of all.
--
-- The old default partition is taken off, and its lines from p_from on are added again: each to its year. So no line stands
-- in the way of its own partition, old ones go with the table that holds them, and the right to delete a line is needed by
-- nobody. Each partition is closed like its sisters: no line is changed, by its owner neither.
--
-- The trail stands still meanwhile, for some milliseconds. Who calls holds its lock.
--
-- Definer: whoever deploys, the partitions belong to the trail's owner.

create or replace function audit.renew_partitions(p_years integer[], p_from timestamptz)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_outside text := 'log_outside';
  v_index   text;
  v_year    integer;
begin
  alter table audit.log detach partition audit.log_default;
  execute format('alter table audit.log_default rename to %I', v_outside);

  -- The new one's indexes shall have these names.
  for v_index in
    select indexes.relname
    from pg_index
    inner join pg_class as indexes on indexes.oid = pg_index.indexrelid
    where pg_index.indrelid = to_regclass('audit.' || v_outside)
  loop
    execute format('alter index audit.%I rename to %I', v_index, replace(v_index, 'log_default', v_outside));
  end loop;

  foreach v_year in array p_years loop
    execute format(
      'create table audit.log_%1$s partition of audit.log for values from (%2$L) to (%3$L)',
      v_year, make_timestamptz(v_year, 1, 1, 0, 0, 0, 'UTC'), make_timestamptz(v_year + 1, 1, 1, 0, 0, 0, 'UTC')
    );
    execute format('comment on table audit.log_%1$s is %2$L', v_year, format('The trail of %s (UTC).', v_year));
    execute format('alter table audit.log_%s enable row level security', v_year);
    execute format('revoke update, delete, truncate on audit.log_%s from circle27_auth', v_year);
  end loop;

  create table audit.log_default partition of audit.log default;
  comment on table audit.log_default is 'The trail outside all years with a partition: should be empty.';
  alter table audit.log_default enable row level security;
  revoke update, delete, truncate on audit.log_default from circle27_auth;

  execute format('insert into audit.log select * from audit.%I as outside where outside.at >= $1', v_outside) using p_from;
  execute format('drop table audit.%I', v_outside);
end;
$function$;

comment on function audit.renew_partitions(integer[], timestamptz) is
'Make partitions of these years (UTC), and anew the default one, with its lines from p_from on.';

revoke all on function audit.renew_partitions(integer[], timestamptz) from public;
