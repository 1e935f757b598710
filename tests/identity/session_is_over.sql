-- Asked before each request of a member.

begin;
select plan(7);

select tests.may_call('identity.session_is_over(uuid)', array['authenticated']);
select is_definer('identity', 'session_is_over', 'a member sees no table of this schema');
select schema_privs_are('identity', 'authenticated', array['USAGE'], 'and may name its functions only');
select tests.create_member('ann');
create table tests.made as select identity.begin_session('stanford', tests.member('ann'), tests.noon()) as session_id;
grant select on tests.made to public;
select tests.act_as('ann');
select is(identity.session_is_over(session_id), false, 'a session that goes on') from tests.made;
select is(identity.session_is_over(gen_random_uuid()), false, 'one of another issuer');
select is(identity.session_is_over(null), false, 'none');
select tests.act_as_nobody();
select identity.end_session(session_id, 'session.ended', tests.noon()) from tests.made;
select tests.act_as('ann');
select is(identity.session_is_over(session_id), true, 'one that was ended') from tests.made;

select * from finish();
rollback;
