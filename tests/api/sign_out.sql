-- A member signs out of the session of the token.

begin;
select plan(12);

select is_definer('api', 'sign_out', 'reaches what identity grants to its owner');
select volatility_is('api', 'sign_out', array[]::text[], 'volatile', 'writes');
select tests.may_call('api.sign_out()', array['authenticated']);
select tests.create_member(name) from unnest(array['ann', 'bob']) as people (name);
create table tests.got as
select name, tests.signed_in(name || '@stanford.edu') ->> 'sessionId' as session_id from unnest(array['ann', 'bob']) as people (name);
grant select on tests.got to public;

select tests.act_as('ann', jsonb_build_object('session_id', upper(session_id))) from tests.got where name = 'ann';
select is(api.sign_out(), '{"signedOut": true}', 'Ann signs out');
select is(api.sign_out(), '{"signedOut": true}', 'twice is once');
select tests.refused('select app.pre_request()', 'PT401', 'session_over', 'her token counts no more');
select tests.act_as('ann', jsonb_build_object('session_id', session_id)) from tests.got where name = 'bob';
select tests.refused('select api.sign_out()', 'PT403', 'not_yours', 'Bob''s session is not hers');
select tests.act_as('ann', '{"session_id": null}');
select tests.refused('select api.sign_out()', 'PT401', 'session_missing', 'a token without a session');
select tests.act_as('bob', jsonb_build_object('session_id', session_id)) from tests.got where name = 'bob';
select lives_ok('select app.pre_request()', 'Bob''s token passes');
select tests.act_as('bob', '{"campus_id": "mit"}');
select tests.refused('select api.sign_out()', 'PT403', 'wrong_campus', 'a token of another campus');
select tests.act_as(null);
select tests.refused('select api.sign_out()', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as_role('anon');
select throws_ok('select api.sign_out()', '42501', null, 'nobody');

select * from finish();
rollback;
