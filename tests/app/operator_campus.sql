-- Who acts as an operator, and where. Who does not is in the trail; the three functions for operators deny with it.

begin;
select plan(14);

select isnt_definer('app', 'operator_campus', array['text', 'text', 'timestamp with time zone', 'jsonb'], 'called from definers only');
select tests.may_call('app.operator_campus(text, text, timestamptz, jsonb)', '{}');
select tests.create_member('ann');
select tests.create_member('pat', p_tier => 'pro');
select tests.create_member('olga', p_tier => 'operator');
select tests.create_member('mike', 'mit', 'operator');
select tests.create_slot('two', '14:00');
create function tests.campus(p_campus_id text default null) returns text language sql security definer
as $$ select app.operator_campus(p_campus_id, 'test.tried', tests.slot('two'), '{"what": 1}') $$;

select tests.act_as('olga');
select is(tests.campus(), 'stanford', 'an operator, on the own campus');
select is(tests.campus('stanford'), 'stanford', 'which may be named');
select is(tests.campus('mit'), null, 'on no other');
select tests.act_as('mike');
select is(tests.campus('stanford'), null, 'an operator of another campus is none here');
select tests.act_as('pat');
select is(tests.campus(), null, 'who pays is none');
select tests.act_as('ann', '{"tier": "operator"}');
select is(tests.campus(), null, 'nor whose token says so');
select tests.act_as(null);
select tests.refused('select tests.campus()', 'PT401', 'not_signed_in', 'nobody is refused');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select tests.campus()', 'PT403', 'wrong_campus', 'and whose token names another campus');
select tests.act_as_role('service_role');
select is(tests.campus('mit'), 'mit', 'a trusted server, on the campus that it names');
select tests.refused('select tests.campus()', 'PT403', 'no_campus', 'and must name');

select tests.act_as_nobody();
select results_eq($$ select action, campus_id, user_id, time_slot, details from audit.log where action = 'test.tried' order by id $$,
  $$ select 'test.tried', campus, tests.member(name), tests.slot('two'), '{"what": 1}'::jsonb from (values (1, 'olga', 'stanford'), (2, 'mike', 'mit'), (3, 'pat', 'stanford'), (4, 'ann', 'stanford')) as tried (no, name, campus) order by no $$,
  'who was denied is in the trail, with the own campus, and nobody else');
update app.users set tier = 'user' where user_id = tests.member('olga');
select tests.act_as('olga');
select is(tests.campus(), null, 'who was an operator a moment ago is none');

select * from finish();
rollback;
