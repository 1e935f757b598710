-- The own row, and never an address.

begin;
select plan(9);

select policies_are('app', 'users', array['own_row']);
select policy_roles_are('app', 'users', 'own_row', array['authenticated']);
select column_privs_are('app', 'users', 'email', 'authenticated', array[]::text[], 'the address is granted to no member');

select tests.create_member('ann');
select tests.create_member('ben');

select tests.act_as('ann');
select results_eq('select display_name from app.users', array['Ann'], 'Ann sees her own row');
select throws_ok('select email from app.users', '42501', null, 'but no address, not even hers');
select throws_ok('select * from app.users', '42501', null, 'nor by accident');
select throws_ok($$ update app.users set tier = 'operator' $$, '42501', null, 'and can''t promote herself');
select tests.act_as_role('anon');
select throws_ok('select display_name from app.users', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(email) from app.users), 2::bigint, 'a trusted server sees all');

select * from finish();
rollback;
