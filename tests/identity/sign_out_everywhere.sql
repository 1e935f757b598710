-- Signing out everywhere: all sessions of the member, nobody else's.

begin;
select plan(9);

select tests.may_call('identity.sign_out_everywhere(text, uuid, uuid, timestamptz)', array[]::text[]);
select tests.create_member(name) from unnest(array['ann', 'bob']) as people (name);
create table tests.made as
select row_number() over () as n, identity.begin_session('stanford', tests.member(name), tests.noon(at)) as session_id
from (values ('ann', interval '0'), ('ann', '0'), ('ann', '-720 h'), ('bob', '0')) as people (name, at);
insert into tests.made values (5, gen_random_uuid());
create function tests.signs_out(p_name text, p_n integer)
returns jsonb
language sql
as $$
  select identity.sign_out_everywhere(
    'stanford', tests.member(p_name), (select session_id from tests.made where n = p_n), tests.noon()
  )
$$;
create function tests.over()
returns text
language sql
as $$ select string_agg(n::text, ' ' order by n) from tests.made where identity.session_is_over(session_id) $$;

select tests.refused($$ select tests.signs_out('ann', 4) $$, 'PT403', 'not_yours', 'with Bob''s session: no');
select is(tests.over(), null, 'and nothing has happened');
select is(tests.signs_out('ann', 5), '{"signedOut": true}', 'Ann signs out with a token of another issuer');
select is(tests.over(), '1 2 5', 'of all, but not of what had run out, nor of Bob''s');
select tests.repeats($$ select tests.signs_out('ann', 5) $$, 'twice is once');
select is((select count(*) from tests.told() where channel like 'session:%'), 3::bigint, 'three streams are told');
select is(tests.signs_out('bob', null), '{"signedOut": true}', 'Bob''s token has no session');
select is(tests.over(), '1 2 4 5', 'he is signed out all the same');

select * from finish();
rollback;
