-- Who is counted, against which limit, and what a denied caller hears.

begin;
select plan(34);

select is_definer('app', 'limit_write', array['uuid'], 'no role of a request touches the buckets');
select function_privs_are('app', 'limit_write', array['uuid'], role, privileges, role)
from (values
  ('anon', array['EXECUTE']), ('authenticated', array['EXECUTE']), ('service_role', array[]::text[])
) as roles (role, privileges);

-- The refusal as PostgREST reads it: MESSAGE is the body, DETAIL the status and the headers.
create function tests.denied(p_statement text)
returns jsonb
language plpgsql
as $$
declare
  v_sqlstate text := 'none';
  v_message  text;
  v_detail   text;
begin
  begin
    execute p_statement;
  exception when others then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail;
  end;
  return jsonb_build_object('sqlstate', v_sqlstate, 'body', v_message::jsonb) || v_detail::jsonb;
end;
$$;

-- All tokens but so many are gone.
create function tests.spent(p_caller text, p_left integer, p_quota integer)
returns void
language sql
security definer
as $$
  insert into ops.buckets (caller, full_at)
  values (p_caller, clock_timestamp() + interval '1 minute' - interval '1 minute' * p_left / p_quota)
  on conflict on constraint buckets_pkey do update set full_at = excluded.full_at
$$;

select tests.create_member('ann');
select tests.create_member('pia', p_tier => 'pro');
select tests.create_member('olga', p_tier => 'operator');

-- A member: by id, whatever the session; the tier as app.users has it.
select tests.act_as('ann');
select lives_ok('select app.pre_request()', 'Ann calls');
select matches(tests.header('RateLimit'), '^"user";r=199$', 'of 200 she has 199');
select tests.act_as('ann', '{"tier": "operator", "session_id": "00000000-0000-4000-8000-00000000aaaa"}');
select lives_ok('select app.pre_request()', 'she calls from another device, and claims to be an operator');
select matches(tests.header('RateLimit'), '^"user";r=19[89]$', 'it stays a member''s');
select tests.act_as('pia');
select lives_ok('select app.pre_request()', 'Pia calls');
select is(tests.header('RateLimit'), '"pro";r=499', 'of 500');
select tests.act_as('olga');
select lives_ok('select app.pre_request()', 'Olga calls');
select is(tests.header('RateLimit'), '"operator";r=999', 'of 1000');
select tests.act_as_nobody();
update app.users set tier = 'user' where user_id = tests.member('pia');
select tests.act_as('pia');
select lives_ok('select app.pre_request()', 'Pia''s token still says pro');
select matches(tests.header('RateLimit'), '^"user";r=19[89]$', 'but she is not, from now on');
select tests.act_as(null, '{"sub": "00000000-0000-4000-8000-000000000000"}');
select lives_ok('select app.pre_request()', 'a member that nobody knows');
select is(tests.header('RateLimit'), '"user";r=199', 'is counted, too');

select tests.act_as_nobody();
select is((select count(*) from ops.buckets), 4::bigint, 'four members, four buckets');

-- Denied.
select tests.spent('user:' || tests.member('ann'), 0, 200);
select tests.act_as('ann');
select is(
  tests.denied('select app.pre_request()'),
  '{"sqlstate": "PGRST", "status": 429,
    "body": {"code": "PT429", "message": "Too many calls in a short time", "details": "rate_limited",
             "hint": "Try again after the number of seconds in Retry-After"},
    "headers": {"Retry-After": "1", "RateLimit": "\"user\";r=0;t=1", "RateLimit-Policy": "\"user\";q=200;w=60"}}'::jsonb,
  'an empty bucket: 429, and when to come back'
);
select tests.act_as('ann', '{"aud": null}');
select tests.refused('select app.pre_request()', 'PT401', 'token_invalid', 'what is no token is told so first');

-- A call with many rows.
select tests.act_as_nobody();
select tests.create_slot('two', '14:00');
select tests.clock('12:00');
create function tests.joins(p_times integer) returns bigint language sql as $$
  with done as (insert into api.waitlist_entries (time_slot) select tests.slot('two') from generate_series(1, p_times) returning 1) select count(*) from done $$;
select tests.spent('user:' || tests.member('pia'), 5, 200);
select tests.act_as('pia');
select lives_ok('select app.pre_request()', 'Pia calls, with five left');
select is(tests.joins(1), 1::bigint, 'and inserts a row');
select is(tests.header('RateLimit'), '"user";r=4', 'which was counted with the call');
select is(tests.joins(3), 3::bigint, 'each further row');
select is(tests.header('RateLimit'), '"user";r=1', 'is counted as a call');
select is(tests.denied('select tests.joins(2)') ->> 'status', '429', 'two are too many for what is left');
with done as (delete from api.waitlist_entries returning 1) select is((select count(*) from done), 1::bigint, 'a row that is deleted is one');
select tests.act_as_nobody();

-- Nobody: by the network that the gateway names.
select tests.act_as_role('anon');
select set_config('request.headers', '{"x-client-network": "192.0.2.7", "x-real-ip": "192.0.2.7"}', true);
select lives_ok('select app.pre_request()', 'nobody calls');
select is(tests.header('RateLimit'), '"anon";r=59', 'of 60');
select set_config('request.path', '/rpc/request_login_code', true);
select lives_ok('select app.pre_request()', 'the same network signs in');
select is(tests.header('RateLimit'), '"login";r=999', 'which has a limit of its own: a campus is one network');
select set_config('request.path', '', true);
select set_config('request.headers', '{"x-client-network": "192.0.2.8"}', true);
select lives_ok('select app.pre_request()', 'another network');
select set_config('request.headers', '', true);
select lives_ok('select app.pre_request()', 'and a caller without one');
select tests.act_as_nobody();
select results_eq(
  $$ select caller from ops.buckets where caller not like 'user:%' order by 1 $$,
  array['anon:', 'anon:192.0.2.7', 'anon:192.0.2.8', 'login:192.0.2.7'], 'one bucket each'
);

-- Exempt.
delete from ops.buckets;
select tests.act_as_role('service_role');
select app.pre_request();
select set_config('circle27.rate_limits', 'off', true);
select tests.act_as('ann');
select app.pre_request();
select tests.act_as_nobody();
select is_empty('select from ops.buckets', 'a trusted server, and a load run, are not counted');

select * from finish();
rollback;
