-- Own places, and nobody else's.

begin;
select plan(8);

select policies_are('app', 'circle_members', array['own_places']);
select policy_roles_are('app', 'circle_members', 'own_places', array['authenticated']);

select tests.create_member('ann');
select tests.create_member('ben');
select tests.create_slot('two', '14:00');
select tests.in_circle('ann', 'two', 1);
select tests.in_circle('ben', 'two', 2);

select tests.act_as('ann');
select results_eq('select user_id from app.circle_members', $$ values (tests.member('ann')) $$, 'Ann sees her own place');
select throws_ok('update app.circle_members set circle_no = 2', '42501', null, 'and can''t move');
select throws_ok('delete from app.circle_members', '42501', null, 'nor go');
select tests.act_as_role('anon');
select throws_ok('select from app.circle_members', '42501', null, 'a stranger may not look');
select tests.act_as(null);
select is_empty('select from app.circle_members', 'a token that names nobody sees none');
select tests.act_as_role('service_role');
select is((select count(*) from app.circle_members), 2::bigint, 'a trusted server sees all');

select * from finish();
rollback;
