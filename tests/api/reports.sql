-- Who reads what was reported: operators of the campus and trusted servers. What they read: tests/app/campus_reports.sql.

begin;
select plan(21);

select is_definer('api', 'reports', array['timestamp with time zone', 'integer', 'text'], 'nobody may read the table');
select volatility_is('api', 'reports', array['timestamp with time zone', 'integer', 'text'], 'volatile', 'a denied attempt is written down');
select tests.may_call('api.reports(timestamptz, integer, text)', '{authenticated,service_role}');
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_member('pat', p_tier => 'pro');
select tests.create_member('olga', p_tier => 'operator');
select tests.create_member('mike', 'mit', 'operator');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select app.report_user('stanford', tests.member('ann'), tests.slot('two'), tests.member('ben'), 'fake', null);
select is((select count(*) from tests.trail()), 1::bigint, 'given a report');

select tests.act_as('ann');
select tests.denied('select api.reports()', '403', 'operators_only', 'not even who reported reads');
select results_eq('select * from tests.trail()', $$ values ('reports.read_denied', 'ann', null::text, null::jsonb) $$, 'and that she tried is in the trail');
select tests.act_as('pat');
select tests.denied('select api.reports()', '403', 'operators_only', 'nor who pays');
select tests.act_as('ann', '{"tier": "operator", "role": "service_role"}');
select tests.denied('select api.reports()', '403', 'operators_only', 'a claim never makes an operator');
select tests.act_as('mike');
select is(api.reports(), '{"reports": []}', 'an operator of another campus reads that one''s');
select tests.denied('select api.reports(p_campus_id => ''stanford'')', '403', 'operators_only', 'and no other');
select tests.act_as(null);
select tests.refused('select api.reports()', 'PT401', 'not_signed_in', 'nobody reads nothing');

select tests.act_as('olga');
select is(jsonb_array_length(api.reports() -> 'reports'), 1, 'an operator reads');
select is(jsonb_array_length(api.reports('infinity', 10000, 'stanford') -> 'reports'), 1, 'and may name the own campus');
select is(api.reports('-infinity'), '{"reports": []}', 'before all there is nothing');
select tests.act_as_nobody();
select results_eq('select action, member, details from tests.trail() where member = ''olga''', $$ values
  ('reports.read', 'olga', '{"limit": 100, "before": null}'::jsonb), ('reports.read', 'olga', '{"limit": 10000, "before": "infinity"}'), ('reports.read', 'olga', '{"limit": 100, "before": "-infinity"}') $$, 'that she read is in the trail, and how much');
select tests.act_as('olga');
select tests.refused('select api.reports(null, 0)', 'PT422', 'limit_invalid', 'no rows are no page');
select tests.act_as_nobody();
update app.users set tier = 'operator' where user_id = tests.member('ben');
select tests.act_as('ben');
select is(api.reports(), '{"reports": []}', 'a reported operator does not read who reported him');
select tests.act_as_role('service_role');
select set_config('request.jwt.claims', jsonb_build_object('role', 'service_role', 'sub', tests.member('olga'))::text, true);  -- whose key names itself
select is(jsonb_array_length(api.reports(p_campus_id => 'stanford') -> 'reports'), 1, 'a trusted server names the campus');
select tests.refused('select api.reports()', 'PT403', 'no_campus', 'and must');
select tests.act_as_nobody();
select results_eq('select action, campus_id, user_id, actor_role from audit.log order by id desc limit 1', $$ values ('reports.read', 'stanford', null::uuid, 'service_role') $$, 'and is in the trail as what it is');
select tests.act_as_role('anon');
select throws_ok('select api.reports()', '42501', null, 'nobody at all reads nothing');

select * from finish();
rollback;
