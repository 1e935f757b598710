-- app.member_facts(p_user_id): what a token says of a member: campus, tier, time zone. No row if there is none.
--
-- Definer: identity functions run as circle27_auth, which reads no app table.

create or replace function app.member_facts(p_user_id uuid)
returns table (campus_id text, tier text, time_zone text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text := (
    select directory.campus_id from app.user_campuses as directory where directory.user_id = p_user_id
  );
begin
  return query
  select users.campus_id, users.tier, campuses.time_zone
  from app.users
  inner join app.campuses on campuses.campus_id = v_campus_id
  where users.campus_id = v_campus_id
    and users.user_id = p_user_id;
end;
$function$;

comment on function app.member_facts(uuid) is
'What a token says of a member: campus, tier, time zone. No row if there is no such member.';

revoke all on function app.member_facts(uuid) from public;
grant execute on function app.member_facts(uuid) to circle27_auth;
