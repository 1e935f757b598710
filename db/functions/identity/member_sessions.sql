-- identity.member_sessions(p_user_id, p_session_id, p_now): where the member is signed in, the newest first.
--
-- p_now null: also where they were, for as long as that is remembered, address and client included: for the export.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.member_sessions(p_user_id uuid, p_session_id uuid, p_now timestamptz)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'sessionId', sessions.session_id,
          'current', sessions.session_id is not distinct from p_session_id,
          'signedInAt', sessions.created_at,
          'renewedAt', sessions.renewed_at,
          'userAgent', sessions.user_agent,
          'address', sessions.address
        )
        order by sessions.renewed_at desc, sessions.session_id
      )
      from identity.sessions
      where sessions.user_id = p_user_id
        and (p_now is null or (sessions.ended_at is null and sessions.expires_at > p_now))
    ),
    '[]'
  );
end;
$function$;

comment on function identity.member_sessions(uuid, uuid, timestamptz) is
'Where the member is signed in: [{sessionId, current, signedInAt, renewedAt, userAgent, address}], the newest first; p_now null: also where they were.';

revoke all on function identity.member_sessions(uuid, uuid, timestamptz) from public;
grant execute on function identity.member_sessions(uuid, uuid, timestamptz) to circle27_owner;
