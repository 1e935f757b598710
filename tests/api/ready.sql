-- Whether the database can serve: asked by the gateway, as anybody.

begin;
select plan(4);

select is_definer('api', 'ready', 'nobody may read the tables');
select volatility_is('api', 'ready', 'stable', 'so GET works');
select tests.act_as_role('anon');
select is(api.ready() -> 'ready', 'true', 'it can');
select matches(api.ready() ->> 'version', '^[0-9]+\.[0-9]+\.[0-9]+$', 'and says which version it serves');

select * from finish();
rollback;
