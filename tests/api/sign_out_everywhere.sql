-- A member signs out of all sessions.

begin;
select plan(10);

select is_definer('api', 'sign_out_everywhere', 'reaches what identity grants to its owner');
select volatility_is('api', 'sign_out_everywhere', array[]::text[], 'volatile', 'writes');
select tests.may_call('api.sign_out_everywhere()', array['authenticated']);
select tests.create_member(name) from unnest(array['ann', 'bob']) as people (name);
create table tests.got as
select n, tests.signed_in(name || '@stanford.edu', clock_timestamp() - make_interval(mins => n)) ->> 'sessionId' as session_id
from (values (2, 'ann'), (1, 'ann'), (3, 'bob')) as people (n, name);
grant select on tests.got to public;

select tests.act_as('ann', jsonb_build_object('session_id', session_id)) from tests.got where n = 1;
select is(api.sign_out_everywhere(), '{"signedOut": true}', 'Ann signs out everywhere');
select is(api.sign_out_everywhere(), '{"signedOut": true}', 'twice is once');
select is((select array_agg(n order by n) from tests.got where identity.session_is_over(session_id::uuid)), array[1, 2], 'of her two sessions, not of Bob''s');
select tests.act_as('ann', '{"session_id": null}');
select is(api.sign_out_everywhere(), '{"signedOut": true}', 'a token without a session does, too');
select tests.act_as('bob', '{"campus_id": "mit"}');
select tests.refused('select api.sign_out_everywhere()', 'PT403', 'wrong_campus', 'a token of another campus');
select tests.act_as(null);
select tests.refused('select api.sign_out_everywhere()', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as_role('anon');
select throws_ok('select api.sign_out_everywhere()', '42501', null, 'nobody');

select * from finish();
rollback;
