-- app.use_campus_zone(p_campus_id): write instants with the campus's offset, until the calling function ends.
--
-- For what is told to others than the caller. A member's own request is in the zone of the token (app.pre_request()), which
-- is the campus's unless another issuer says otherwise: clients compare instants, not texts. A function
-- that calls this has `set timezone` in its header: that is what gives the caller's own zone back at its end.

create or replace function app.use_campus_zone(p_campus_id text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform set_config('TimeZone', campuses.time_zone, true)
  from app.campuses
  where campuses.campus_id = p_campus_id;
end;
$function$;

comment on function app.use_campus_zone(text) is
'Set TimeZone to the campus''s, for a function that has `set timezone` in its header.';

revoke all on function app.use_campus_zone(text) from public;
