-- app.member_time_zone(p_user_id): the time zone of a member's campus, or null.
--
-- Definer: app.pre_request() runs as the request's role, which may not read the tables.

create or replace function app.member_time_zone(p_user_id uuid)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select campuses.time_zone
    from app.user_campuses as directory
    inner join app.campuses on campuses.campus_id = directory.campus_id
    where directory.user_id = p_user_id
  );
end;
$function$;

comment on function app.member_time_zone(uuid) is
'The time zone of a member''s campus, or null.';

revoke all on function app.member_time_zone(uuid) from public;
grant execute on function app.member_time_zone(uuid) to authenticated;
