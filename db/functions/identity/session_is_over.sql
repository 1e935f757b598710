-- identity.session_is_over(p_session_id): whether this session was ended. Asked before each request of a member.
--
-- One that is not known is not over: another issuer's. One that nobody refreshed needs no question: its tokens have expired.
-- Reads an index that holds only the ended ones.
--
-- Definer: asked as the role of the request, which sees no table of this schema.

create or replace function identity.session_is_over(p_session_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return exists (
    select
    from identity.sessions
    where sessions.session_id = p_session_id
      and sessions.ended_at is not null
  );
end;
$function$;

comment on function identity.session_is_over(uuid) is
'Whether this session was ended.';

revoke all on function identity.session_is_over(uuid) from public;
grant execute on function identity.session_is_over(uuid) to authenticated;
