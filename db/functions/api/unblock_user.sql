-- api.unblock_user(p_user_id): take a block of the caller back.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.unblock_user(p_user_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.unblock_user(v_member.campus_id, v_member.user_id, p_user_id);
end;
$function$;

comment on function api.unblock_user(uuid) is
'Take a block back.

Gives {userId, blocked}. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.unblock_user(uuid) from public;
grant execute on function api.unblock_user(uuid) to authenticated;
