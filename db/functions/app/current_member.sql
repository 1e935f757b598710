-- app.current_member(): the member that the token names: user_id, campus_id, the campus's time_zone.
--
-- The directory decides the campus; a claim that says otherwise is a token from before a move, and is refused
-- rather than believed. Called by api functions only, as their definer.
--
-- Part of every call, so the claims are parsed once, and it has no settings of its own.

create or replace function app.current_member(out user_id uuid, out campus_id text, out time_zone text)
returns record
language plpgsql
stable
as $function$
declare
  v_claims    jsonb := auth.jwt();
  v_closed_at timestamptz;
begin
  if v_claims ->> 'sub' is null then
    perform app.refuse('not_signed_in');
  end if;

  select directory.user_id, directory.campus_id, campuses.time_zone, directory.closed_at
  into current_member.user_id, current_member.campus_id, current_member.time_zone, v_closed_at
  from app.user_campuses as directory
  inner join app.campuses on campuses.campus_id = directory.campus_id
  where directory.user_id = (v_claims ->> 'sub')::pg_catalog.uuid;

  if current_member.campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if v_closed_at is not null then
    perform app.refuse('account_deleted');
  end if;
  if v_claims ->> 'campus_id' <> current_member.campus_id then
    perform app.refuse('wrong_campus');
  end if;
end;
$function$;

comment on function app.current_member() is
'The member that the token names, with the campus. Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function app.current_member() from public;
