-- api.run_due_deadlines(): match every slot whose deadline has passed. Trusted servers only.
--
-- Definer: no role of a request may write the tables.

create or replace function api.run_due_deadlines()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return app.run_due_deadlines();
end;
$function$;

comment on function api.run_due_deadlines() is
'Match every slot whose deadline has passed.

Gives {matched, missed, failed, left, now, nextDeadlineAt}. For service_role; the worker does it by itself.';

revoke all on function api.run_due_deadlines() from public;
grant execute on function api.run_due_deadlines() to service_role;
