-- api.delete_my_account(): erase the caller's personal data, sign them out everywhere.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.delete_my_account()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.delete_member(v_member.campus_id, v_member.user_id);
end;
$function$;

comment on function api.delete_my_account() is
'Erase the caller''s personal data, and sign out everywhere.

Gives {deleted}. Gone are e-mail address, name, attributes and comments; open lists and circles ahead are left. Circles of the past stay, with a former member in them.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.delete_my_account() from public;
grant execute on function api.delete_my_account() to authenticated;
