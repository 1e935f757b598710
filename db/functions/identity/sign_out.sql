-- identity.sign_out(p_campus_id, p_user_id, p_session_id, p_now): end this session of the member.
--
-- A token of another issuer has a session that is not known here: it is noted as ended, so that it counts no more.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.sign_out(p_campus_id text, p_user_id uuid, p_session_id uuid, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform identity.note_session(p_campus_id, p_user_id, p_session_id, p_now);  -- refuses not_yours
  perform identity.end_session(p_session_id, 'session.ended', p_now);
  return jsonb_build_object('signedOut', true);
end;
$function$;

comment on function identity.sign_out(text, uuid, uuid, timestamptz) is
'End this session of the member: {signedOut}. Refuses not_yours.';

revoke all on function identity.sign_out(text, uuid, uuid, timestamptz) from public;
grant execute on function identity.sign_out(text, uuid, uuid, timestamptz) to circle27_owner;
