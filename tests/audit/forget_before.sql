-- Retention: whole years go, and nothing else.

begin;
select plan(18);

select isnt_definer('audit', 'forget_before', array['integer'], 'who deploys calls it as themselves');
select tests.may_call('audit.forget_before(integer)', '{}');
select ok(has_function_privilege('circle27_migrator', 'audit.forget_before(integer)', 'execute'), 'the migrator may');
select ok(not has_function_privilege('circle27_owner', 'audit.forget_before(integer)', 'execute'), 'the app''s owner may not');

-- Given three years more, with a line of each, and values beside them.
select audit.renew_partitions('{2023,2024,2025}', '-infinity');
create temporary table clock as select extract(year from clock_timestamp() at time zone 'UTC')::integer as year;
insert into audit.log (id, at, action, actor_role) values
  (-1, '2023-12-31 23:59:59.999999+00', 'a.old', 'test'), (-2, '2024-01-01 00:00+00', 'a.young', 'test'),
  (-4, '2001-01-01', 'a.outside', 'test'), (-5, '2999-01-01', 'a.beyond', 'test');
insert into audit.changes (id, at, user_id, old_values, new_values)
select id, at, gen_random_uuid(), '{}', '{}' from audit.log where id < 0;
grant select on clock to public;

-- What may not go.
set local role circle27_migrator;
select tests.refused(format('select * from audit.forget_before(%s)', year), 'PT422', 'year_invalid', 'this year''s predecessor stays') from clock;
select tests.refused(format('select * from audit.forget_before(%s)', year + 1), 'PT422', 'year_invalid', 'so does all up to now') from clock;
select tests.refused(format('select * from audit.forget_before(%L::integer)', year), 'PT422', 'year_invalid', coalesce(year::text, 'none') || ' is no year')
from (values (null::integer), (0), (-1), (1999), (2147483647), (-2147483648)) as years (year);

-- What may.
select results_eq('select audit.forget_before(2024)', $$ values ('log_2023'), ('log_default') $$, 'before 2024: a partition, and the strays outside');
reset role;
select results_eq('select id from audit.log where id < 0 order by id desc', 'values (-2::bigint), (-5)', 'the first microsecond of 2024 stays, as does what lies ahead');
select results_eq('select id from audit.changes where id < 0 order by id desc', 'values (-2::bigint), (-5)', 'and so do the values beside');
select hasnt_table('audit', 'log_2023', 'no line was deleted: its table is gone');
select results_eq($$ select details from audit.log where action = 'trail.dropped' $$, $$ values ('{"before": 2024}'::jsonb) $$, 'that it was done is in the trail');
select is_empty('select audit.forget_before(2024)', 'again: nothing to do');

select * from finish();
rollback;
