-- The circles one is in, and no other.

begin;
select plan(15);

select policies_are('app', 'circles', array['circles_of_mine', 'open_account']);
select policy_roles_are('app', 'circles', 'circles_of_mine', array['authenticated']);
select policy_cmd_is('app', 'circles', 'circles_of_mine'::name, 'select');

select tests.create_member('ann');
select tests.create_member('ben');
select tests.create_member('fay');
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.in_circle('ann', 'two', 1);
select tests.in_circle('ben', 'two', 2);
select tests.in_circle('ben', 'five', 1);
select tests.create_slot('mits', '14:00', 'mit');
select tests.in_circle('mia', 'mits', 1);

select tests.act_as('ann');
select results_eq('select time_slot, circle_no from app.circles', $$ values (tests.slot('two'), 1) $$,
  'Ann sees hers: not the other one of the slot, nor the same number of another slot');
select throws_ok('delete from app.circles', '42501', null, 'and can''t dissolve it');
select tests.act_as_nobody();
savepoint whole;
create or replace function app.my_circle_rows() returns tid[] language sql stable security definer as 'select array_agg(ctid) from app.circles';
select tests.act_as('ann');
select results_eq('select time_slot, circle_no from app.circles', $$ values (tests.slot('two'), 1) $$,
  'what is found is not yet shown: were all rows found, she would see the same');
select tests.act_as_nobody();
create or replace function app.my_circle_rows() returns tid[] language sql stable security definer as 'select array[]::tid[]';
select tests.act_as('ann');
select is_empty('select from app.circles', 'and what is not found is not searched for: that would be every circle of the slot');
rollback to savepoint whole;
update app.circle_members set cancelled_at = now() where user_id = tests.member('ann');
select tests.act_as('ann');
select is_empty('select from app.circles', 'once she gave up her place it is no longer hers');
select tests.act_as('ben');
select is((select count(*) from app.circles), 2::bigint, 'Ben sees his two');
select throws_ok($$ update app.circles set spot_id = null $$, '42501', null, 'and can''t move them');
select tests.act_as('fay');
select is_empty('select from app.circles', 'who is in none sees none');
select tests.act_as('mia');
select results_eq('select campus_id from app.circles', array['mit'], 'nor does who is of another campus see these');
select tests.act_as(null);
select is_empty('select from app.circles', 'nor does a token that names nobody');
select tests.act_as_role('anon');
select throws_ok('select from app.circles', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from app.circles), 4::bigint, 'a trusted server sees all');

select * from finish();
rollback;
