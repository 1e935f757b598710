-- What a token says of a member: of this one, and of no other.

begin;
select plan(7);

select is_definer('app', 'member_facts', array['uuid'], 'circle27_auth, who calls it, may read no table of app');
select ok(has_function_privilege('circle27_auth', 'app.member_facts(uuid)', 'execute'), 'and may call it');
select tests.may_call('app.member_facts(uuid)', '{}');

select tests.create_member('ann');
select tests.create_member('olga', 'stanford', 'operator');
select tests.create_member('max', 'mit', 'pro');
select results_eq(format('select * from app.member_facts(%L)', tests.member(name)), format('values (%L, %L, %L)', campus_id, tier, 'America/Los_Angeles'), name || ' alone')
from (values ('ann', 'stanford', 'user'), ('olga', 'stanford', 'operator'), ('max', 'mit', 'pro')) as facts (name, campus_id, tier);
select is_empty($$ select from app.member_facts(gen_random_uuid()) $$, 'of nobody there is nothing to say');

select * from finish();
rollback;
