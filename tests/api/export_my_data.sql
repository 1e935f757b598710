-- A member's own data, to the member. What is in it: tests/app/export_member.sql.

begin;
select plan(8);

select is_definer('api', 'export_my_data', array[]::text[], 'members hold no right on the tables');
select volatility_is('api', 'export_my_data', array[]::text[], 'stable', 'it only reads');
select tests.may_call('api.export_my_data()', '{authenticated}');
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.act_as('ann');
select is(api.export_my_data() #>> '{profile,email}', 'ann@stanford.edu', 'Ann gets her own data');
select tests.act_as('ben');
select is(api.export_my_data() #>> '{profile,email}', 'ben@stanford.edu', 'Ben gets his own data');
select tests.act_as(null);
select tests.refused('select api.export_my_data()', 'PT401', 'not_signed_in', 'nobody has none');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.export_my_data()', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('service_role');
select throws_ok('select api.export_my_data()', '42501', null, 'no trusted server asks for a member');

select * from finish();
rollback;
