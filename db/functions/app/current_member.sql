-- app.current_member(): the member that the token names: user_id and campus_id.
--
-- The directory decides the campus; a claim that says otherwise is a token from before a move, and is refused
-- rather than believed. Called by api functions only, as their definer.
--
-- Part of every call, so the claims are parsed once, and it has no settings of its own.

create or replace function app.current_member()
returns app.user_campuses
language plpgsql
stable
as $function$
declare
  v_claims jsonb := auth.jwt();
  v_member app.user_campuses;
begin
  if v_claims ->> 'sub' is null then
    perform app.refuse('not_signed_in');
  end if;

  select directory.*
  into v_member
  from app.user_campuses as directory
  where directory.user_id = (v_claims ->> 'sub')::pg_catalog.uuid;

  if v_member.campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if v_claims ->> 'campus_id' <> v_member.campus_id then
    perform app.refuse('wrong_campus');
  end if;

  return v_member;
end;
$function$;

comment on function app.current_member() is
'The member that the token names, with the campus. Refuses not_signed_in, no_campus, wrong_campus.';

revoke all on function app.current_member() from public;
