-- Deploy circle27:buckets to pg

begin;

set local role circle27_owner;

-- Rate limits. One instant says it all: a bucket that is full again at full_at has lost what flows back until then.
-- Unlogged: a limit needs no disk. What a crash or a failover costs is one full bucket for each caller (decision 10).
create unlogged table ops.buckets (
  caller  text not null,
  full_at timestamptz not null,
  constraint buckets_pkey primary key (caller)
)
-- Rows change in place, in their own page; vacuum by count, as a busy minute changes few rows many times.
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table ops.buckets is 'Token buckets of callers who wrote lately. A bucket without a row is full.';
comment on column ops.buckets.caller is 'Whose: user:<user_id>; without a token anon:<network> or login:<network>.';
comment on column ops.buckets.full_at is 'When it is full again (real time); past: it is full.';
alter table ops.buckets enable row level security;

grant usage on schema ops to circle27_worker;

commit;
