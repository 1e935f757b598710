-- Signing out: this session and no other.

begin;
select plan(10);

select tests.may_call('identity.sign_out(text, uuid, uuid, timestamptz)', array[]::text[]);
select function_privs_are('identity', 'sign_out', array['text', 'uuid', 'uuid', 'timestamptz'], 'circle27_owner', array['EXECUTE'], 'the api calls it');
select tests.create_member(name) from unnest(array['ann', 'bob']) as people (name);
create table tests.made as
select row_number() over () as n, identity.begin_session('stanford', tests.member(name), tests.noon()) as session_id
from unnest(array['ann', 'ann', 'bob']) as people (name);
create function tests.signs_out(p_name text, p_session_id uuid)
returns jsonb
language sql
as $$ select identity.sign_out('stanford', tests.member(p_name), p_session_id, tests.noon('1 s')) $$;

select is(tests.signs_out('ann', session_id), '{"signedOut": true}', 'Ann signs out') from tests.made where n = 1;
select is((select array_agg(n order by n) from tests.made where identity.session_is_over(session_id)), array[1::bigint], 'of this session');
select tests.repeats(format('select tests.signs_out(%L, %L)', 'ann', session_id), 'twice is once') from tests.made where n = 1;
select tests.refused(format('select tests.signs_out(%L, %L)', 'ann', session_id), 'PT403', 'not_yours', 'not Bob''s') from tests.made where n = 3;
select is(identity.session_is_over(session_id), false, 'which goes on') from tests.made where n = 3;

-- Another issuer's.
insert into tests.made values (4, gen_random_uuid());
select is(tests.signs_out('ann', session_id), '{"signedOut": true}', 'a session of another issuer') from tests.made where n = 4;
select is(identity.session_is_over(session_id), true, 'is over, too') from tests.made where n = 4;
select is((select count(*) from tests.trail() where action = 'session.ended' and member = 'ann'), 2::bigint, 'both in the trail');

select * from finish();
rollback;
