-- app.hour_text(p_local): the hour of a local time as the button shows it: 1PM, 1:30PM, 12AM, 12PM.
--
-- IMMUTABLE in truth: PostgreSQL calls to_char() STABLE because of patterns that follow lc_time, and none is here.
-- PL/pgSQL and without settings of its own, for it is part of every button.

create or replace function app.hour_text(p_local timestamp)
returns text
language plpgsql
immutable
parallel safe
as $function$
begin
  return replace(to_char(p_local, 'FMHH12:MIAM'), ':00', '');
end;
$function$;

comment on function app.hour_text(timestamp) is
'The hour of a local time as the button shows it: 1PM, 1:30PM, 12AM.';

revoke all on function app.hour_text(timestamp) from public;
