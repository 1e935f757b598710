-- audit.record(p_action, p_campus_id, p_user_id, p_time_slot, p_details, p_old, p_new): write one line of the trail.
--
-- Who, as which role and from where it reads itself, so that no caller can leave them out. Real time.
-- A trusted server's key may name itself in `sub` by any text: only a uuid is somebody, and no other text gets in.
--
-- What a personal value was and became goes beside the trail, where it can be erased (audit.changes).
--
-- Definer: app functions run as circle27_owner, which may add to the trail through this and in no other way.

create or replace function audit.record(
  p_action text,
  p_campus_id text,
  p_user_id uuid default null,
  p_time_slot timestamptz default null,
  p_details jsonb default null,
  p_old jsonb default null,
  p_new jsonb default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_claims  jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  v_headers json := nullif(current_setting('request.headers', true), '')::json;
  v_id      bigint;
  v_at      timestamptz;
begin
  insert into audit.log (
    action, campus_id, user_id, time_slot, details, actor_id, actor_role, session_id, address, request_id
  )
  values (
    p_action,
    p_campus_id,
    p_user_id,
    p_time_slot,
    p_details,
    case
      when v_claims ->> 'sub' ~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then (v_claims ->> 'sub')::uuid
    end,
    coalesce(nullif(current_setting('role'), 'none'), session_user),
    left(v_claims ->> 'session_id', 64),
    -- The gateway sets it; what the client claims in X-Forwarded-For is not asked.
    left(v_headers ->> 'x-real-ip', 64),
    left(v_headers ->> 'x-request-id', 64)
  )
  returning log.id, log.at into v_id, v_at;

  if p_old is not null then
    insert into audit.changes (id, at, user_id, old_values, new_values)
    values (v_id, v_at, p_user_id, p_old, p_new);
  end if;
end;
$function$;

comment on function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) is
'Write one line of the trail: what, to which row, personal values before and after; who, as which role and from where are added.';

revoke all on function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) from public;
grant execute on function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) to circle27_owner;
