-- Own feedback, and nobody else's.

begin;
select plan(7);

select policies_are('app', 'feedback', array['own_feedback']);
select policy_roles_are('app', 'feedback', 'own_feedback', array['authenticated']);

select tests.create_member('ann');
select tests.create_member('ben');
select tests.create_slot('two', '14:00');
select tests.in_circle('ann', 'two');
select tests.in_circle('ben', 'two');
select tests.gave_feedback('ann', 'two', 4);
select tests.gave_feedback('ben', 'two', 1);

select tests.act_as('ann');
select results_eq('select rating from app.feedback', $$ values (4::smallint) $$, 'Ann sees what she said, not what Ben said');
select throws_ok('update app.feedback set rating = 5', '42501', null, 'and can''t unsay it');
select tests.act_as_role('anon');
select throws_ok('select from app.feedback', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from app.feedback), 2::bigint, 'a trusted server sees all');
select tests.act_as_nobody();
select tests.create_member('cas');
select throws_ok($$ select tests.gave_feedback('cas', 'two') $$, '23503', null, 'who was in no circle can''t have said anything');

select * from finish();
rollback;
