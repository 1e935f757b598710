-- The limits of the tiers.

begin;
select plan(2);

select results_eq(
  $$ select tier, ops.calls_a_minute(tier) from unnest(array['anon', 'user', 'pro', 'operator', 'login']) as tiers (tier) $$,
  $$ values ('anon', 60), ('user', 200), ('pro', 500), ('operator', 1000), ('login', 1000) $$,
  'calls a minute'
);
select is_empty($$
  select tier
  from pg_constraint cross join lateral regexp_matches(pg_get_constraintdef(oid), '''(\w+)''', 'g') as tiers (tier)
  where conname = 'users_tier_known' and ops.calls_a_minute(tier[1]) is null
$$, 'every tier that a member may have has one');

select * from finish();
rollback;
