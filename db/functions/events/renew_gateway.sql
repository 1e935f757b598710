-- events.renew_gateway(p_gateway, p_dead): the gateway is alive, but for these of its processes. Returns its processes that
-- hold streams.
--
-- What a killed process held has ended, and no log says so. The lease is for a gateway that is gone as a whole, host and
-- porter: after a minute without renewal its streams count no more (app.online_users()), and any other gateway forgets them.
--
-- Definer: the worker holds no right on the tables.

create or replace function events.renew_gateway(p_gateway text, p_dead integer[] default '{}')
returns integer[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now    timestamptz := clock_timestamp();
  v_people uuid[];
begin
  insert into events.gateways (gateway, renewed_at)
  values (p_gateway, v_now)
  on conflict on constraint gateways_pkey do update
  set renewed_at = excluded.renewed_at;

  delete from events.gateways
  where gateways.renewed_at < v_now - interval '1 minute';

  with ended as (
    delete from events.streams
    where (streams.gateway = p_gateway and streams.process_id = any(p_dead))
      or (
        streams.opened_at < v_now - interval '1 minute'  -- a gateway's first streams may come before its first renewal
        and not exists (select from events.gateways where gateways.gateway = streams.gateway)
      )
    returning streams.user_id
  )

  select array_agg(ended.user_id)
  into v_people
  from ended;

  perform app.emit_presence(v_people);

  return array(
    select distinct streams.process_id
    from events.streams
    where streams.gateway = p_gateway
  );
end;
$function$;

comment on function events.renew_gateway(text, integer[]) is
'Note that a gateway is alive and which of its processes are dead, and forget what dead ones held; its processes that hold streams.';

revoke all on function events.renew_gateway(text, integer[]) from public;
grant execute on function events.renew_gateway(text, integer[]) to circle27_worker;
