-- api.my_circle(p_time_slot): whom the caller meets in one slot, and where.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.my_circle(p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.member_circle(v_member.campus_id, v_member.user_id, p_time_slot, app.clock());
end;
$function$;

comment on function api.my_circle(timestamptz) is
'Whom the caller meets in one slot, and where.

Gives {timeSlot, circleNo, spot: {spotId, name} or null, members: [{userId, displayName}]}.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle.';

revoke all on function api.my_circle(timestamptz) from public;
grant execute on function api.my_circle(timestamptz) to authenticated;
