-- app.member_circle(p_campus_id, p_user_id, p_time_slot, p_now): the circle of a member in one slot.

create or replace function app.member_circle(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot app.time_slots;
begin
  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses no_campus, slot_not_found, slot_cancelled

  return (
    select facts.circle
    from app.circle_facts(
      p_campus_id, p_time_slot, app.own_circle_no(p_campus_id, p_user_id, v_slot, p_now)
    ) as facts
  );
end;
$function$;

comment on function app.member_circle(text, uuid, timestamptz, timestamptz) is
'The circle of a member in one slot, as app.circle_facts() has it. Refuses no_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle.';

revoke all on function app.member_circle(text, uuid, timestamptz, timestamptz) from public;
