-- app.hour_text(p_local): the hour as the button shows it: 1PM, 1:30PM, 12AM, 12PM.
--
-- Not to_char(): that one may follow lc_time, so it is only STABLE, and it can't leave out the minutes.
-- Plain SQL, so that it is inlined into its caller.

create or replace function app.hour_text(p_local time)
returns text
language sql
immutable
parallel safe
as $function$
  select
    ('{12,1,2,3,4,5,6,7,8,9,10,11}'::pg_catalog.text[])[date_part('hour', p_local)::integer % 12 + 1]
    || case when date_part('minute', p_local) = 0 then '' else substr(p_local::text, 3, 3) end
    || case when p_local < '12:00' then 'AM' else 'PM' end
$function$;

comment on function app.hour_text(time) is
'The hour of a local time as the button shows it: 1PM, 1:30PM, 12AM.';

revoke all on function app.hour_text(time) from public;
