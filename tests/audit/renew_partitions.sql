-- The default partition makes room: what it is used for is told by tests/audit/open_partitions.sql and forget_before.sql.

begin;
select plan(8);

select is_definer('audit', 'renew_partitions', array['integer[]', 'timestamp with time zone'], 'whoever deploys, partitions belong to the trail''s owner');
select tests.may_call('audit.renew_partitions(integer[], timestamptz)', '{}');

insert into audit.log (id, at, action, actor_role) values
  (-1, '1999-12-31 23:59:59.999999+00', 'a.old', 'test'), (-2, '2000-01-01 00:00+00', 'a.young', 'test'), (-3, '2070-05-05', 'a.new', 'test');
set local role circle27_migrator;
select lives_ok($$ select audit.renew_partitions('{2070}', '2000-01-01 00:00+00') $$, 'who deploys may');
reset role;
select results_eq('select id from audit.log_default', 'values (-2::bigint)', 'what is older is gone, to the microsecond');
select results_eq('select id from audit.log_2070', 'values (-3::bigint)', 'what has a year now is in it');
select hasnt_table('audit', 'log_outside', 'nothing is left over');
select table_owner_is('audit', 'log_2070'::name, 'circle27_auth'::name, 'and is owned like the others');
select lives_ok($$ select audit.renew_partitions('{}', '-infinity') $$, 'and it can be done again');

select * from finish();
rollback;
