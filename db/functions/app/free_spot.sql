-- app.free_spot(p_campus_id, p_time_slot, p_circle_no, p_heir): a circle in which nobody is left needs no spot.
--
-- The circle that took its people has it then, if it had none; else the next matching may deal it. p_heir null: nobody took them.

create or replace function app.free_spot(
  p_campus_id text, p_time_slot timestamptz, p_circle_no integer, p_heir integer
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_spot_id text;
begin
  select circles.spot_id
  into v_spot_id
  from app.circles
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = p_circle_no;

  if v_spot_id is null then
    return;
  end if;

  -- Given up before it is taken: no spot is booked twice, not even for a moment.
  update app.circles
  set spot_id = null
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = p_circle_no;
  update app.circles
  set spot_id = v_spot_id
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = p_heir
    and circles.spot_id is null;
end;
$function$;

comment on function app.free_spot(text, timestamptz, integer, integer) is
'Give the spot of a circle in which nobody is left to the one that took its people, or back.';

revoke all on function app.free_spot(text, timestamptz, integer, integer) from public;
