-- app.add_meeting_spot(p_campus_id, p_spot_id, p_name): add a place where circles meet, or give it a new name.
--
-- Repeatable. A spot that was closed is in use again.

create or replace function app.add_meeting_spot(p_campus_id text, p_spot_id text, p_name text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if not exists (select from app.campuses where campuses.campus_id = p_campus_id) then
    perform app.refuse('campus_not_found');
  end if;

  begin
    insert into app.meeting_spots as spots (campus_id, spot_id, name)
    values (p_campus_id, p_spot_id, btrim(p_name))
    on conflict on constraint meeting_spots_pkey do update
    set name = excluded.name, closed_at = null
    where (spots.name, spots.closed_at is null) is distinct from (excluded.name, true);
  exception
    when check_violation or not_null_violation then
      perform app.refuse('spot_invalid');
  end;

  if found then
    perform audit.record(
      'spot.added', p_campus_id, null, null, jsonb_build_object('spotId', p_spot_id, 'name', btrim(p_name))
    );
  end if;
  return p_spot_id;
end;
$function$;

comment on function app.add_meeting_spot(text, text, text) is
'Add a place where circles meet, or give it a new name. Refuses campus_not_found, spot_invalid.';

revoke all on function app.add_meeting_spot(text, text, text) from public;
