-- Who sees the day in numbers: operators of the campus and trusted servers. What they see: tests/app/operator_day.sql.

begin;
select plan(18);

select is_definer('api', 'operator_day', array['date', 'text'], 'nobody may read the tables');
select volatility_is('api', 'operator_day', array['date', 'text'], 'volatile', 'a denied attempt is written down');
select tests.may_call('api.operator_day(date, text)', '{authenticated,service_role}');
select tests.create_member('ann');
select tests.create_member('pat', p_tier => 'pro');
select tests.create_member('olga', p_tier => 'operator');
select tests.create_member('mike', 'mit', 'operator');
select tests.create_slot('two', '14:00');
select tests.create_slot('six', '18:00', 'mit');
select tests.joined('ann', 'two');
select tests.clock('12:30');
select is((select count(*) from tests.trail()), 0::bigint, 'given nothing that was told');

select tests.act_as('ann');
select tests.denied('select api.operator_day()', '403', 'operators_only', 'a member does not see it');
select results_eq('select * from tests.trail()', $$ values ('day.read_denied', 'ann', null::text, null::jsonb) $$, 'and that she tried is in the trail');
select tests.act_as('pat');
select tests.denied('select api.operator_day()', '403', 'operators_only', 'nor who pays');
select tests.act_as('ann', '{"tier": "operator", "role": "service_role"}');
select tests.denied('select api.operator_day()', '403', 'operators_only', 'a claim never makes an operator');
select tests.act_as('mike');
select is(api.operator_day() ->> 'campusId', 'mit', 'an operator of another campus sees that one''s');
select tests.denied('select api.operator_day(p_campus_id => ''stanford'')', '403', 'operators_only', 'and no other');
select tests.act_as(null);
select tests.refused('select api.operator_day()', 'PT401', 'not_signed_in', 'nobody sees nothing');

select tests.act_as('olga');
select is(api.operator_day() -> 'slots' -> 0 ->> 'onList', '1', 'an operator sees today');
select is(api.operator_day(p_campus_id => 'stanford') ->> 'day', tests.day()::text, 'and may name the own campus');
select is(api.operator_day(tests.day() - 1) -> 'slots', '[]', 'or another day');
select tests.refused('select api.operator_day(date ''1999-12-31'')', 'PT422', 'day_invalid', 'within reason');
select tests.act_as_role('service_role');
select is(api.operator_day(p_campus_id => 'stanford') -> 'slots' -> 0 ->> 'onList', '1', 'a trusted server names the campus');
select tests.refused('select api.operator_day()', 'PT403', 'no_campus', 'and must');
select tests.act_as_role('anon');
select throws_ok('select api.operator_day()', '42501', null, 'nobody at all sees nothing');

select * from finish();
rollback;
