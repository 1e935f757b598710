-- app.is_operator(p_campus_id, p_user_id): whether the member is an operator. From the table, never from a claim.

create or replace function app.is_operator(p_campus_id text, p_user_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return exists (
    select
    from app.users
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id
      and users.tier = 'operator'
  );
end;
$function$;

comment on function app.is_operator(text, uuid) is
'Whether the member is an operator of the campus.';

revoke all on function app.is_operator(text, uuid) from public;
