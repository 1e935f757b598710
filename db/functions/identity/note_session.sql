-- identity.note_session(p_campus_id, p_user_id, p_session_id, p_now): know this session, and that it is the member's.
--
-- A token of another issuer has a session that is not known here. Noted, it can be ended.

create or replace function identity.note_session(
  p_campus_id text, p_user_id uuid, p_session_id uuid, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  insert into identity.sessions (session_id, campus_id, user_id, created_at, renewed_at, expires_at)
  values (p_session_id, p_campus_id, p_user_id, p_now, p_now, p_now)
  on conflict (session_id) do nothing;

  -- Somebody else's session under this id: an issuer's fault, and not this member's to end.
  if exists (
    select
    from identity.sessions
    where sessions.session_id = p_session_id
      and sessions.user_id <> p_user_id
  ) then
    perform app.refuse('not_yours');
  end if;
end;
$function$;

comment on function identity.note_session(text, uuid, uuid, timestamptz) is
'Know this session, and that it is the member''s. Refuses not_yours.';

revoke all on function identity.note_session(text, uuid, uuid, timestamptz) from public;
