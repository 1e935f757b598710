-- app.current_campus_id(): the campus of the member that the token names.

create or replace function app.current_campus_id()
returns text
language plpgsql
stable
as $function$
begin
  return (app.current_member()).campus_id;
end;
$function$;

comment on function app.current_campus_id() is
'The campus of the member that the token names. Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function app.current_campus_id() from public;
