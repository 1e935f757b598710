-- audit.erase(p_user_id): forget the personal values of a member that stand beside the trail. The facts stay.
--
-- Definer: called by the app as circle27_owner, which holds no right here.

create or replace function audit.erase(p_user_id uuid)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  delete from audit.changes where changes.user_id = p_user_id;
end;
$function$;

comment on function audit.erase(uuid) is
'Forget the personal values of a member that stand beside the trail.';

revoke all on function audit.erase(uuid) from public;
grant execute on function audit.erase(uuid) to circle27_owner;
