-- A member sees where they are signed in.

begin;
select plan(9);

select is_definer('api', 'my_sessions', 'reaches what identity grants to its owner');
select volatility_is('api', 'my_sessions', array[]::text[], 'stable', 'may be called by GET');
select tests.may_call('api.my_sessions()', array['authenticated']);
select tests.create_member(name) from unnest(array['ann', 'bob']) as people (name);
create table tests.got as
select n, tests.signed_in(name || '@stanford.edu', clock_timestamp() - make_interval(mins => n)) ->> 'sessionId' as session_id
from (values (2, 'ann'), (1, 'ann'), (3, 'bob')) as people (n, name);
grant select on tests.got to public;

select tests.act_as('ann', jsonb_build_object('session_id', session_id)) from tests.got where n = 2;
select is(
  (select jsonb_agg(s -> 'sessionId' || (s -> 'current')) from jsonb_array_elements(api.my_sessions() -> 'sessions') as s),
  (select jsonb_agg(jsonb_build_array(session_id, n = 2) order by n) from tests.got where n < 3), 'her two, the newest first; this is the second'
);
select tests.act_as('ann', '{"session_id": null}');
select is(jsonb_array_length(api.my_sessions() -> 'sessions'), 2, 'a token without a session sees them, too');
select tests.act_as('bob');
select is(jsonb_array_length(api.my_sessions() -> 'sessions'), 1, 'Bob sees his own');
select tests.act_as('bob', '{"campus_id": "mit"}');
select tests.refused('select api.my_sessions()', 'PT403', 'wrong_campus', 'a token of another campus');
select tests.act_as(null);
select tests.refused('select api.my_sessions()', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as_role('anon');
select throws_ok('select api.my_sessions()', '42501', null, 'nobody');

select * from finish();
rollback;
