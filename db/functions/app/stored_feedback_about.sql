-- app.stored_feedback_about(p_campus_id, p_user_id, p_time_slot): what a member said about circle-mates, as app.feedback_about() has it.

create or replace function app.stored_feedback_about(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object('userId', said.about_id, 'meetAgain', said.meet_again, 'noShow', said.no_show)
        order by said.about_id::text
      )
      from app.feedback_about as said
      where said.campus_id = p_campus_id
        and said.time_slot = p_time_slot
        and said.user_id = p_user_id
    ),
    '[]'
  );
end;
$function$;

comment on function app.stored_feedback_about(text, uuid, timestamptz) is
'What a member said about circle-mates, in order of their ids: [{userId, meetAgain, noShow}].';

revoke all on function app.stored_feedback_about(text, uuid, timestamptz) from public;
