-- api.report_user(p_time_slot, p_user_id, p_reason, p_comment): tell the operators about a circle-mate.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.report_user(
  p_time_slot timestamptz, p_user_id uuid, p_reason text, p_comment text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.report_user(v_member.campus_id, v_member.user_id, p_time_slot, p_user_id, p_reason, p_comment);
end;
$function$;

comment on function api.report_user(timestamptz, uuid, text, text) is
'Tell the operators about a circle-mate.

Gives {userId, timeSlot, reported}. p_reason: harassment, no_show, fake or other. Nobody else hears of it. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, report_invalid, not_a_mate, report_given.';

revoke all on function api.report_user(timestamptz, uuid, text, text) from public;
grant execute on function api.report_user(timestamptz, uuid, text, text) to authenticated;
