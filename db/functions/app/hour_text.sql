-- app.hour_text(p_local): the hour as the button shows it: 1PM, 1:30PM, 12AM, 12PM.
--
-- Not to_char(): that one follows lc_time, so it is only STABLE, and it can't leave out the minutes.
-- Plain SQL, so that it is inlined into its caller.

create or replace function app.hour_text(p_local timestamp)
returns text
language sql
immutable
parallel safe
as $function$
  select
    ((extract(hour from p_local)::integer + 11) % 12 + 1)::text
    || case
      when extract(minute from p_local) = 0 then ''
      else ':' || lpad(extract(minute from p_local)::text, 2, '0')
    end
    || case when extract(hour from p_local) < 12 then 'AM' else 'PM' end
$function$;

comment on function app.hour_text(timestamp) is
'The hour of a local time as the button shows it: 1PM, 1:30PM, 12AM.';

revoke all on function app.hour_text(timestamp) from public;
