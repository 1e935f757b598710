-- api.get_online_users(p_user_ids): which of the caller's circle-mates are online.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.get_online_users(p_user_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return jsonb_build_object('online', app.online_users(v_member.campus_id, v_member.user_id, p_user_ids));
end;
$function$;

comment on function api.get_online_users(uuid[]) is
'Which of the caller''s circle-mates are online.

Gives {online: [userId]}; of anybody else nothing is told.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.get_online_users(uuid[]) from public;
grant execute on function api.get_online_users(uuid[]) to authenticated;
