-- api.block_user(p_user_id): never match the caller with this member again.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.block_user(p_user_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.block_user(v_member.campus_id, v_member.user_id, p_user_id);
end;
$function$;

comment on function api.block_user(uuid) is
'Never be matched with this member again.

Gives {userId, blocked}. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, block_oneself, member_not_found.';

revoke all on function api.block_user(uuid) from public;
grant execute on function api.block_user(uuid) to authenticated;
