-- identity.sign_out_everywhere(p_campus_id, p_user_id, p_session_id, p_now): end all sessions of the member.
--
-- p_session_id is the one that asks, if it has one: it may be another issuer's, and not known yet.
-- All in one order, its own no earlier than the others: two devices that do this at once never wait for each other in a
-- circle. What has run out by itself is left to identity.forget_old().
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.sign_out_everywhere(
  p_campus_id text, p_user_id uuid, p_session_id uuid, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session_id uuid;
begin
  if p_session_id is not null then
    perform identity.note_session(p_campus_id, p_user_id, p_session_id, p_now);  -- refuses not_yours
  end if;

  for v_session_id in
    select sessions.session_id
    from identity.sessions
    where sessions.user_id = p_user_id
      and sessions.ended_at is null
      and (sessions.expires_at > p_now or sessions.session_id = p_session_id)
    order by sessions.session_id
  loop
    perform identity.end_session(v_session_id, 'session.ended', p_now);
  end loop;
  return jsonb_build_object('signedOut', true);
end;
$function$;

comment on function identity.sign_out_everywhere(text, uuid, uuid, timestamptz) is
'End all sessions of the member: {signedOut}. Refuses not_yours.';

revoke all on function identity.sign_out_everywhere(text, uuid, uuid, timestamptz) from public;
grant execute on function identity.sign_out_everywhere(text, uuid, uuid, timestamptz) to circle27_owner;
