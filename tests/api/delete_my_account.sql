-- A member deletes the account: then no call is theirs any more. What goes and stays: tests/app/delete_member.sql.

begin;
select plan(21);

select is_definer('api', 'delete_my_account', array[]::text[], 'members hold no right to write a table');
select volatility_is('api', 'delete_my_account', array[]::text[], 'volatile', 'it writes');
select tests.may_call('api.delete_my_account()', '{authenticated}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.clock('9:00');
select tests.act_as(null);
select tests.refused('select api.delete_my_account()', 'PT401', 'not_signed_in', 'nobody has no account');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.delete_my_account()', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as('ann');
select is(api.delete_my_account(), '{"deleted": true}', 'Ann deletes hers');
select tests.refused(statement, 'PT401', 'account_deleted', 'then refused: ' || statement)
from unnest(array[
  'select api.delete_my_account()', 'select api.my_profile()', 'select api.export_my_data()', 'select api.my_trail()', 'select api.get_button_states()',
  'select api.join_waitlist(tests.slot(''two''))', 'select api.leave_waitlist(tests.slot(''two''))', 'select api.update_profile(''Ann'')', 'select api.block_user(tests.member(''ben''))',
  'select api.open_stream()', 'select api.my_sessions()', 'insert into api.waitlist_entries (time_slot) values (tests.slot(''two''))',
  'select api.report_user(null, null, null)', 'select api.submit_feedback(tests.slot(''two''), 5)'
]) as statements (statement);
select tests.act_as('ben');
select is(api.my_profile() ->> 'displayName', 'Ben', 'Ben is who he was');

select * from finish();
rollback;
