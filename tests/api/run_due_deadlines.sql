-- Running what is due: for trusted servers. Its rules: tests/app/run_due_deadlines.sql.

begin;
select plan(8);

select is_definer('api', 'run_due_deadlines', array[]::text[], 'no role of a request may write the tables');
select volatility_is('api', 'run_due_deadlines', array[]::text[], 'volatile', 'it writes');
select tests.may_call('api.run_due_deadlines()', '{service_role}');

select tests.create_member(name, p_tier => 'operator') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.joined(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.clock_stands(tests.slot('two') - interval '1 hour');

select tests.act_as_role('anon');
select throws_ok('select api.run_due_deadlines()', '42501', null, 'a stranger may not');
select tests.act_as('ann', '{"role": "service_role"}');
select throws_ok('select api.run_due_deadlines()', '42501', null, 'nor a member, operators and forged claims included');
select tests.act_as_role('service_role');
select is(api.run_due_deadlines() #> '{matched,0,people}', '3', 'a trusted server gets the reports');
select tests.repeats('select api.run_due_deadlines()', 'and finds nothing more to do');
select results_eq('select action, slot from tests.trail()', $$ values ('slot.matched', 'two') $$, 'once in the trail');

select * from finish();
rollback;
