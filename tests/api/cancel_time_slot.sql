-- Who may call a slot off: operators of the campus and trusted servers. The rest: tests/app/cancel_time_slot.sql.

begin;
select plan(21);

select is_definer('api', 'cancel_time_slot', array['timestamp with time zone', 'text'], 'no role of a request may write the tables');
select volatility_is('api', 'cancel_time_slot', array['timestamp with time zone', 'text'], 'volatile', 'it writes');
select tests.may_call('api.cancel_time_slot(timestamptz, text)', '{authenticated,service_role}');

-- Given an operator of each campus, a member of each other tier, and slots at the same time on both.
select tests.create_member('olga', p_tier => 'operator');
select tests.create_member('mike', 'mit', 'operator');
select tests.create_member('ann');
select tests.create_member('pat', p_tier => 'pro');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('mits', '17:00', 'mit');
select tests.clock('9:00');

-- The wrong people first.
select tests.act_as('ann');
select tests.denied('select api.cancel_time_slot(tests.slot(''two''))', '403', 'operators_only', 'a member may not');
select tests.denied('select api.cancel_time_slot(null)', '403', 'operators_only', 'nor learns whether there is such a slot');
select tests.act_as('pat');
select tests.denied('select api.cancel_time_slot(tests.slot(''two''))', '403', 'operators_only', 'nor who pays for more requests');
select tests.act_as('ann', '{"tier": "operator", "role": "service_role"}');
select tests.denied('select api.cancel_time_slot(tests.slot(''two''))', '403', 'operators_only', 'a claim never makes an operator');
select tests.act_as('mike');
select tests.refused('select api.cancel_time_slot(tests.slot(''two''))', 'PT404', 'slot_not_found', 'another campus''s operator knows no such slot');
select tests.denied('select api.cancel_time_slot(tests.slot(''two''), ''stanford'')', '403', 'operators_only', 'nor may name that campus');
select tests.act_as('olga', '{"campus_id": "mit"}');
select tests.refused('select api.cancel_time_slot(tests.slot(''mits''))', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as(null);
select tests.refused('select api.cancel_time_slot(tests.slot(''two''))', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as_role('anon');
select throws_ok('select api.cancel_time_slot(tests.slot(''two''))', '42501', null, 'a stranger may not');
select tests.act_as_nobody();
select is_empty('select from app.time_slots where cancelled_at is not null', 'all that called nothing off');
select bag_eq(
  $$ select action, user_id, count(*) from audit.log where action = 'slot.cancel_denied' group by 1, 2 $$,
  $$ values ('slot.cancel_denied', tests.member('pat'), 1::bigint), ('slot.cancel_denied', tests.member('mike'), 1), ('slot.cancel_denied', tests.member('ann'), 3) $$,
  'and is in the trail');

-- Olga calls off two, Mike his own campus's, a server five.
select tests.act_as('olga');
select is(api.cancel_time_slot(tests.slot('two')) ->> 'slotStatus', 'cancelled', 'an operator may');
select results_eq('select action, slot, details from tests.trail() where action = ''slot.cancelled''', $$ values ('slot.cancelled', 'two', '{"reason": "called_off"}'::jsonb) $$, 'the trail has it');
select tests.repeats('select api.cancel_time_slot(tests.slot(''two''), ''stanford'')', 'and may name the own campus; twice is once');
select tests.act_as('mike');
select is(api.cancel_time_slot(tests.slot('mits')) ->> 'slotStatus', 'cancelled', 'Mike calls off his campus''s slot');
select tests.act_as_role('service_role');
select tests.refused('select api.cancel_time_slot(tests.slot(''five''))', 'PT403', 'no_campus', 'a server has no campus: it must name one');
select is(api.cancel_time_slot(tests.slot('five'), 'stanford') ->> 'slotStatus', 'cancelled', 'and then may, too');
select tests.act_as_nobody();
select is((select count(*) from app.time_slots where cancelled_at is not null), 3::bigint, 'three slots, one each');

select * from finish();
rollback;
