-- Whether the database can serve: asked by the gateway, as anybody.

begin;
select plan(7);

select is_definer('api', 'ready', 'nobody may read the tables');
select volatility_is('api', 'ready', 'stable', 'so GET works');
select tests.act_as_role('anon');
select is(api.ready() -> 'ready', 'true', 'it can');
select matches(api.ready() ->> 'version', '^[0-9]+\.[0-9]+\.[0-9]+$', 'and says which version it serves');

-- Given a database that doesn't know the clock.
select tests.act_as_nobody();
delete from app.clock_offset;
select tests.act_as_role('anon');
select tests.refused('select api.ready()', 'PT503', 'not_ready', 'it can''t, and the status says so');
select tests.act_as_nobody();
select is((select retry_safe from app.error_registry() where slug = 'not_ready'), true, 'asking again is safe');
select is_empty($$ select slug from app.error_registry() where status in (503, 504) and not retry_safe $$, 'as it is of all that passes by itself');

select * from finish();
rollback;
