-- Spots are told with a circle, by the functions: no member reads the table.

begin;
select plan(6);

select policies_are('app', 'meeting_spots', array[]::name[]);
select tests.create_member('ann', p_tier => 'operator');
select app.add_meeting_spot('stanford', 'steps', 'Library steps');

select tests.act_as('ann');
select throws_ok('select from app.meeting_spots', '42501', null, 'a member may not look, nor an operator');
select throws_ok($$ insert into app.meeting_spots values ('stanford', 'x', 'X') $$, '42501', null, 'nor add one');
select tests.act_as_role('anon');
select throws_ok('select from app.meeting_spots', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from app.meeting_spots), 1::bigint, 'a trusted server sees all');
select throws_ok('update app.meeting_spots set closed_at = now()', '42501', null, 'and writes none');

select * from finish();
rollback;
