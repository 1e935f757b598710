-- The trail's years are ready before they begin.

begin;
select plan(18);

select is_definer('audit', 'open_partitions', array['timestamp with time zone'], 'the worker may make nothing itself');
select tests.may_call('audit.open_partitions(timestamptz)', '{circle27_worker}');
create temporary view shape as
select c.relname, c.relrowsecurity, pg_get_userbyid(c.relowner) as owner, c.relacl::text as acl, replace(obj_description(c.oid), right(c.relname, 4), 'N') as about,
  array(select replace(i.indexrelid::regclass::text, c.relname, 'P') from pg_index as i where i.indrelid = c.oid order by 1) as indexes
from pg_class as c inner join pg_inherits as i on i.inhrelid = c.oid where i.inhparent = 'audit.log'::regclass;
create temporary table shape_before as select * from shape;

-- The migration made 2026 to 2035.
grant select on shape, shape_before to public;
set local role circle27_worker;
select is(audit.open_partitions('2033-12-31 23:59:59.999999+00'), 0, 'at the last microsecond of 2033, 2035 is there');
select is(audit.open_partitions('2034-01-01 00:00+00'), 1, 'a microsecond later 2036 is made');
select is(audit.open_partitions('2034-01-01 00:00+00'), 0, 'once');
reset role;
select results_eq($$ select relrowsecurity, owner, acl, about, indexes from shape where relname = 'log_2036' $$,
  $$ select relrowsecurity, owner, acl, about, indexes from shape where relname = 'log_2035' $$, 'as closed as its sisters');
select results_eq($$ select * from shape where relname = 'log_default' $$, $$ select * from shape_before where relname = 'log_default' $$, 'the default one is as it was');
select results_eq('select relname from shape except select relname from shape_before', $$ values ('log_2036'::name) $$, 'and nothing else is there');

-- The year is UTC's, wherever the caller is.
set local timezone = 'America/Los_Angeles';
select is(audit.open_partitions('2034-12-31 16:00-08'), 1, 'in California it is still 2034, here 2035');
reset timezone;

-- Lines that came before their partition.
insert into audit.log (id, at, action, actor_role, user_id) values
  (-1, '2050-06-01', 'a.middle', 'test', null), (-2, '2052-12-31 23:59:59.999999+00', 'a.last', 'test', gen_random_uuid()),
  (-3, '2053-01-01 00:00+00', 'a.beyond', 'test', null), (-4, '2001-01-01', 'a.before', 'test', null);
create temporary table lines_before as select * from audit.log;
select is((select count(*) from audit.log_default), 4::bigint, 'given four lines outside of all years');
select is(audit.open_partitions('2050-01-01 00:00+00'), 3, 'they don''t stand in the way');
select results_eq('select id from audit.log_2050', 'values (-1::bigint)', 'each goes to its year');
select results_eq('select id from audit.log_2052', 'values (-2::bigint)', 'to the microsecond');
select results_eq('select id from audit.log_default order by id', 'values (-4::bigint), (-3)', 'what has none stays outside');
select set_eq('select * from audit.log', 'select * from lines_before', 'nothing is lost and nothing changed');
set local role circle27_auth;
select throws_ok('delete from audit.log_default', '42501', null, 'the new default one is as closed as the old');
reset role;

select tests.refused('select audit.open_partitions(null)', 'PT422', 'time_invalid', 'no time, no year');
select tests.refused('select audit.open_partitions(''infinity'')', 'PT422', 'time_invalid', 'nor is for ever a year');

select * from finish();
rollback;
