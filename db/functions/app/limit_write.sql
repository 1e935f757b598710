-- app.limit_write(p_user_id): count a call that may write, and refuse it where the caller's bucket is empty.
--
-- A member has one bucket, whatever the session or gateway; its size follows app.users at once, not the token. Nobody
-- (null) is known by the network that the gateway names. What was refused afterwards is not counted here, as its
-- transaction rolls back, but by the gateway (decision 10).
--
-- A setting that only the local stack has (stack/postgresql.conf) turns it off, for load runs.
--
-- Definer: the request's role may not touch the buckets. Part of app.pre_request(), so it reads the request.
--
-- requires: app.refuse, ops.spend

create or replace function app.limit_write(p_user_id uuid)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_tier   text;
  v_caller text;
  v_left   record;
begin
  if current_setting('circle27.rate_limits', true) = 'off' then
    return;
  end if;

  if p_user_id is null then
    v_tier := case
      when current_setting('request.path', true) in (
        '/rpc/request_login_code', '/rpc/verify_login_code', '/rpc/refresh_session'
      ) then 'login'
      else 'anon'
    end;
    v_caller := format(
      '%s:%s', v_tier, nullif(current_setting('request.headers', true), '')::json ->> 'x-client-network'
    );
  else
    select users.tier
    into v_tier
    from app.user_campuses as directory
    inner join app.users
      on users.campus_id = directory.campus_id
      and users.user_id = p_user_id
    where directory.user_id = p_user_id;

    v_tier := coalesce(v_tier, 'user');
    v_caller := 'user:' || p_user_id;
  end if;

  v_left := ops.spend(v_caller, ops.calls_a_minute(v_tier), interval '1 minute');

  if v_left.remaining is null then
    perform app.refuse('rate_limited', jsonb_build_object(
      'Retry-After', v_left.retry_after::text,
      'RateLimit-Policy', format('"%s";q=%s;w=60', v_tier, ops.calls_a_minute(v_tier)),
      'RateLimit', format('"%s";r=0;t=%s', v_tier, v_left.retry_after)
    ));
  end if;

  v_caller := set_config(  -- a PERFORM would be a query
    'response.headers', format('[{"RateLimit": "\"%s\";r=%s"}]', v_tier, v_left.remaining), true
  );
end;
$function$;

comment on function app.limit_write(uuid) is
'Count a call that may write against the limit of the member, or of the network; tells what remains. Refuses rate_limited.';

revoke all on function app.limit_write(uuid) from public;
grant execute on function app.limit_write(uuid) to anon, authenticated;
