-- app.clock(): the time that slots, deadlines and feedback follow.
--
-- The real clock plus an offset that is zero in production; tests and demos move it. Read it once in a call,
-- after the slot's lock is held, and pass it down as p_now. Tokens, limits and the trail use clock_timestamp().
--
-- Part of every call, so without settings of its own; every name is qualified.

create or replace function app.clock()
returns timestamptz
language plpgsql
volatile
as $function$
begin
  return pg_catalog.clock_timestamp() + (select clock_offset.time_offset from app.clock_offset);
end;
$function$;

comment on function app.clock() is
'The time that slots, deadlines and feedback follow: real time plus app.clock_offset.';

revoke all on function app.clock() from public;
grant execute on function app.clock() to service_role, circle27_worker;
