-- Turning the app clock over the API: for trusted servers only.

begin;
select plan(8);

select is_definer('api', 'set_clock_offset', 'no role of a request may write app.clock_offset');
select tests.may_call('api.set_clock_offset(interval)', '{service_role}');

select tests.create_member('ann');
select tests.create_member('olga', 'stanford', 'operator');
select tests.act_as('ann');
select throws_ok($$ select api.set_clock_offset('1 hour') $$, '42501', null, 'a member may not');
select tests.act_as('olga');
select throws_ok($$ select api.set_clock_offset('1 hour') $$, '42501', null, 'nor may an operator');
select tests.act_as_role('anon');
select throws_ok($$ select api.set_clock_offset('1 hour') $$, '42501', null, 'nor may who has no token');

select tests.act_as_role('service_role');
select ok((api.set_clock_offset('2 hours') ->> 'now')::timestamptz - clock_timestamp() between interval '119 minutes' and interval '2 hours', 'it says what time it is now');
select ok(app.clock() - clock_timestamp() between interval '119 minutes' and interval '2 hours', 'and so does the clock');
select tests.refused($$ select api.set_clock_offset(null) $$, 'PT422', 'clock_offset_invalid', 'without an offset it is refused');

select * from finish();
rollback;
