-- Matching by hand: for trusted servers. Its rules: tests/app/match_time_slot.sql.

begin;
select plan(10);

select is_definer('api', 'match_time_slot', array['text', 'timestamp with time zone'], 'no role of a request may write the tables');
select volatility_is('api', 'match_time_slot', array['text', 'timestamp with time zone'], 'volatile', 'it writes');
select tests.may_call('api.match_time_slot(text, timestamptz)', '{service_role}');

select tests.create_member(name, p_tier => 'operator') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.joined(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.clock_stands(tests.slot('two') - interval '1 hour');

select tests.act_as_role('anon');
select throws_ok('select api.match_time_slot(''stanford'', tests.slot(''two''))', '42501', null, 'a stranger may not');
select tests.act_as('ann', '{"role": "service_role"}');
select throws_ok('select api.match_time_slot(''stanford'', tests.slot(''two''))', '42501', null, 'nor a member, operators and forged claims included');
select tests.act_as_role('service_role');
select is(api.match_time_slot('stanford', tests.slot('two')) - array['seed', 'timeSlot', 'matchedAt', 'quality'],
  '{"campusId": "stanford", "people": 3, "circles": 1, "leftOut": 0, "repeatedPairs": 0, "circlesWithoutSpot": 1}', 'a trusted server gets the report');
select tests.repeats('select api.match_time_slot(''stanford'', tests.slot(''two''))', 'and the same again');
select results_eq('select action, slot from tests.trail()', $$ values ('slot.matched', 'two') $$, 'once in the trail');
select tests.refused('select api.match_time_slot(''mit'', tests.slot(''two''))', 'PT404', 'slot_not_found', 'another campus has no such slot');
select tests.refused('select api.match_time_slot(null, tests.slot(''two''))', 'PT403', 'no_campus', 'no campus, no slot');

select * from finish();
rollback;
