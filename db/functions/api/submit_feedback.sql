-- api.submit_feedback(p_time_slot, p_rating, p_comment, p_about): say how a meeting was.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.submit_feedback(
  p_time_slot timestamptz,
  p_rating integer,
  p_comment text default null,
  p_about jsonb default null
)
returns json
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.submit_feedback(
    v_member.campus_id, v_member.user_id, p_time_slot, p_rating, p_comment, p_about
  );
end;
$function$;

comment on function api.submit_feedback(timestamptz, integer, text, jsonb) is
'Say how a meeting was, once.

Gives the new button, as in get_button_states. p_about: [{userId, meetAgain, noShow}]. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, feedback_not_open, rating_invalid, comment_invalid, about_invalid, feedback_given.';

revoke all on function api.submit_feedback(timestamptz, integer, text, jsonb) from public;
grant execute on function api.submit_feedback(timestamptz, integer, text, jsonb) to authenticated;
