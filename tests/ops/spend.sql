-- The token bucket: N at once, N / window after, and never more than that together.

begin;
select plan(25);

select volatility_is('ops', 'spend', array['text', 'integer', 'interval', 'timestamp with time zone'], 'volatile', 'spends');
select isnt_definer('ops', 'spend', array['text', 'integer', 'interval', 'timestamp with time zone'], 'with its caller''s rights');
select function_privs_are(
  'ops', 'spend', array['text', 'integer', 'interval', 'timestamp with time zone'], role, array[]::text[], role || ' may not call it'
)
from unnest(array['anon', 'authenticated', 'service_role', 'circle27_worker']) as roles (role);

-- What a caller gets who calls every p_every from noon on, p_calls times: '*' a token, '-' none.
create function tests.calls(p_caller text, p_calls integer, p_every interval, p_quota integer default 200)
returns text
language sql
as $$
  select string_agg(case when spent.remaining is null then '-' else '*' end, '' order by number)
  from generate_series(0, p_calls - 1) as numbers (number)
  cross join lateral ops.spend(p_caller, p_quota, '1 minute', '2030-06-12 12:00Z'::timestamptz + number * p_every) as spent
$$;

select is(tests.calls('ann', 205, '0'), repeat('*', 200) || '-----', 'N at once, and not one more');
select results_eq(
  $$ select remaining, retry_after from ops.spend('ann', 200, '1 minute', '2030-06-12 12:00Z') $$,
  $$ values (null::integer, 1) $$, 'who is denied hears when to come back, in whole seconds, rounded up'
);
select is(
  (ops.spend('ann', 200, '1 minute', '2030-06-12 12:00:00.299999Z')).remaining, null,
  'a microsecond before the 300 ms of one token there is none'
);
select is(
  (ops.spend('ann', 200, '1 minute', '2030-06-12 12:00:00.3Z')).remaining, 0, 'then there is one, whatever was denied since'
);
select is((ops.spend('ann', 200, '1 minute', '2030-06-12 12:00:00.3Z')).remaining, null, 'and no second one');
select is((ops.spend('ben', 200, '1 minute', '2030-06-12 12:00:00Z')).remaining, 199, 'another caller has a bucket of their own');
select is((ops.spend('ben', 500, '1 minute', '2030-06-12 12:00:00Z')).remaining, 496, 'a higher tier holds at once');
select is((ops.spend('ben', 60, '1 minute', '2030-06-12 12:00:00Z')).remaining, 58, 'and so does a lower one');

-- Over any time t at most N + N * t / 60: ten minutes of hammering, ten calls a second.
select is(
  length(replace(tests.calls('storm', 6001, '100 milliseconds'), '-', '')), 200 + 2000,
  'ten minutes of hammering: N at once and N a minute, exactly'
);
select is(
  length(replace(tests.calls('steady', 1001, '300 milliseconds'), '-', '')), 1001, 'who calls N times a minute is never denied'
);
-- In bursts that leave it half full: looked at between every two calls that got through.
with calls as materialized (
  select
    at,
    (ops.spend('bursts', 200, '1 minute', at)).remaining is not null as allowed
  from (
    select '2030-06-12 12:00Z'::timestamptz + number / 90 * interval '17 seconds' + number % 90 * interval '7 milliseconds' as at
    from generate_series(0, 1999) as numbers (number)
    order by number
  ) as instants
),
allowed as (
  select at, row_number() over (order by at) as number from calls where calls.allowed
)
select is(
  max(til.number - since.number + 1 - 200 - 200 * extract(epoch from til.at - since.at) / 60) <= 0
  and max(til.number - since.number + 1) between 1000 and 1999,
  true, 'in bursts, too: between any two calls that got through, at most N + N * t / 60'
)
from allowed as since
inner join allowed as til on til.at >= since.at;

-- A pause fills the bucket, and never more than that.
select is((ops.spend('ann', 200, '1 minute', '2030-06-12 12:59Z')).remaining, 199, 'after an hour it is full');
select is((ops.spend('ann', 200, '1 minute', '2030-06-12 11:59Z')).remaining, null, 'a clock that was turned back gives nothing away');

-- Other quotas and windows: five an hour.
select is(
  (select string_agg(coalesce(spent.remaining::text, '!' || spent.retry_after), ' ' order by number)
   from generate_series(1, 6) as numbers (number)
   cross join lateral ops.spend('mail', 5, '1 hour', '2030-06-12 12:00:00.5Z'::timestamptz + (number - 1) * interval '1 second') as spent),
  '4 3 2 1 0 !715', 'five an hour: the sixth in twelve minutes'
);
select is((ops.spend('mail', 5, '1 hour', '2030-06-12 12:00:10.1Z')).retry_after, 711, 'part of a second is a second');
select is((ops.spend('mail', 5, '1 hour', '2030-06-12 12:12:00.4Z')).retry_after, 1, 'a tenth of a second too early');
select is((ops.spend('mail', 5, '1 hour', '2030-06-12 12:12:00.5Z')).remaining, 0, 'in time');

select is((ops.spend('now', 60, '1 minute')).remaining, 59, 'without p_now the real clock counts');
select ok(
  (select full_at between clock_timestamp() and clock_timestamp() + interval '1 second' from ops.buckets where caller = 'now'),
  'whatever the app clock says'
);

select * from finish();
rollback;
