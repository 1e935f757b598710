-- api.my_trail(p_before, p_limit): what was done to the caller's rows, by whom, when and from where.
--
-- Definer: reaches what audit grants to its owner, and nothing else there.

create or replace function api.my_trail(p_before timestamptz default null, p_limit integer default 100)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;
  return jsonb_build_object(
    'trail', audit.member_trail(v_member.user_id, coalesce(p_before, 'infinity'), p_limit)
  );
end;
$function$;

comment on function api.my_trail(timestamptz, integer) is
'What was done to the caller''s rows, by whom, when and from where.

Gives {trail: [{at, action, timeSlot, details, old, new, by, address}]} before p_before (by default now), at most p_limit, the newest first.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, limit_invalid.';

revoke all on function api.my_trail(timestamptz, integer) from public;
grant execute on function api.my_trail(timestamptz, integer) to authenticated;
