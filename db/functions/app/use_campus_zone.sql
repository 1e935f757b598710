-- app.use_campus_zone(p_campus_id): write instants with the campus's offset, to the end of the transaction.
--
-- For what is told to others than the caller. A member's own request has that zone anyway (app.pre_request()).

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
'Set TimeZone to the campus''s, to the end of the transaction.';

revoke all on function app.use_campus_zone(text) from public;
