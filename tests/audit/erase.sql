-- Personal values beside the trail are forgotten; the lines stay.

begin;
select plan(6);

select is_definer('audit', 'erase', array['uuid'], 'the app owner holds no right on the table');
select tests.may_call('audit.erase(uuid)', '{}');

-- Given changes of Ann and of Ben.
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select audit.record('profile.updated', 'stanford', tests.member(name), null, null, '{"displayName": "Old"}', '{"displayName": "New"}')
from unnest('{ann,ben,ann}'::text[]) as names (name);

set local role circle27_owner;
select throws_ok('delete from audit.changes', '42501', null, 'not even the app''s owner deletes by itself');
select audit.erase(tests.member('ann'));
reset role;
select results_eq('select user_id from audit.changes', $$ values (tests.member('ben')) $$, 'Ann''s values are gone, Ben''s are not');
select is((select count(*) from audit.log where user_id = tests.member('ann')), 2::bigint, 'that she changed something stays');
select tests.repeats('select audit.erase(tests.member(''ann''))', 'again: nothing');

select * from finish();
rollback;
