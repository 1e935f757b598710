-- What is full again needs no row.

begin;
select plan(6);

select is_definer('ops', 'forget_full_buckets', 'the worker touches no table');
select function_privs_are('ops', 'forget_full_buckets', array[]::text[], 'circle27_worker', array['EXECUTE'], 'the worker may');
select function_privs_are('ops', 'forget_full_buckets', array[]::text[], 'authenticated', array[]::text[], 'a member may not');

insert into ops.buckets (caller, full_at) values
  ('full', clock_timestamp() - interval '1 microsecond'), ('spent', clock_timestamp() + interval '5 seconds');
set local role circle27_worker;
select is(ops.forget_full_buckets(), 1, 'one is full');
select is(ops.forget_full_buckets(), 0, 'none any more');
reset role;
select results_eq('select caller from ops.buckets', array['spent'], 'what was spent stays spent');

select * from finish();
rollback;
