-- Who may suspend: operators of the campus and trusted servers. What it does: tests/app/suspend_user.sql.

begin;
select plan(28);

select is_definer('api', 'suspend_user', array['uuid', 'timestamp with time zone', 'text', 'text'], 'no role of a request may write the tables');
select tests.may_call('api.suspend_user(uuid, timestamptz, text, text)', '{authenticated,service_role}');
select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_member('pat', p_tier => 'pro');
select tests.create_member('olga', p_tier => 'operator');
select tests.create_member('mike', 'mit', 'operator');
select tests.create_slot('two', '14:00');
select tests.joined('ann', 'two');
select tests.clock('9:00');
create function tests.suspended(p_name text) returns timestamptz language sql security definer set search_path = pg_catalog, pg_temp as $$ select suspended_until from app.user_campuses where user_id = tests.member(p_name) $$;

select tests.act_as('ben');
select tests.denied('select api.suspend_user(tests.member(''ann''), ''infinity'', ''Mine'')', '403', 'operators_only', 'a member may not');
select results_eq('select * from tests.trail()', $$ values ('user.suspend_denied', 'ben', null::text, jsonb_build_object('userId', tests.member('ann'))) $$, 'that he tried, and whom, is in the trail');
select tests.denied('select api.suspend_user(null, null, null)', '403', 'operators_only', 'nor learns what is missing');
select tests.act_as('pat');
select tests.denied('select api.suspend_user(tests.member(''ann''), ''infinity'', ''Mine'')', '403', 'operators_only', 'nor who pays');
select tests.act_as('ben', '{"tier": "operator", "role": "service_role"}');
select tests.denied('select api.suspend_user(tests.member(''ann''), ''infinity'', ''Mine'')', '403', 'operators_only', 'a claim never makes an operator');
select tests.act_as('mike');
select tests.refused('select api.suspend_user(tests.member(''ann''), ''infinity'', ''Mine'')', 'PT404', 'member_not_found', 'to an operator of another campus there is no Ann');
select tests.denied('select api.suspend_user(tests.member(''ann''), ''infinity'', ''Mine'', ''stanford'')', '403', 'operators_only', 'nor may he name hers');
select tests.act_as(null);
select tests.refused('select api.suspend_user(tests.member(''ann''), ''infinity'', ''Mine'')', 'PT401', 'not_signed_in', 'nobody suspends nobody');
select is(tests.suspended('ann'), null, 'Ann is as free as before');

select tests.act_as('olga');
select is(api.suspend_user(tests.member('ann'), 'infinity', 'Unkind') ->> 'suspendedUntil', 'infinity', 'an operator may');
select tests.repeats('select api.suspend_user(tests.member(''ann''), ''infinity'', ''Unkind'')', 'twice is once');
select is(tests.suspended('ann'), 'infinity', 'she is suspended');
select tests.act_as('ann');
select tests.refused('select api.join_waitlist(tests.slot(''two''))', 'PT403', 'suspended', 'through the function');
select tests.refused('insert into api.waitlist_entries (time_slot) values (tests.slot(''two''))', 'PT403', 'suspended', 'and through the view');
select is_empty('select from api.waitlist_entries', 'she is off the list');
select is(api.my_profile() ->> 'suspendedUntil', 'infinity', 'and is told');
select is(jsonb_path_query_array(api.my_trail(), '$.trail[*].by'), '["operator", "operator"]', 'by an operator, whose name is no business of hers');
select tests.act_as_nobody();
update app.user_campuses set suspended_until = 'infinity' where user_id = tests.member('olga');
select count(*) from tests.trail();
select tests.act_as('olga');
select tests.denied('select api.suspend_user(tests.member(''olga''), null, ''Fine'')', '403', 'own_case', 'a suspended operator does not lift it');
select results_eq('select * from tests.trail()', $$ values ('user.suspend_denied', 'olga', null::text, jsonb_build_object('userId', tests.member('olga'))) $$, 'but leaves a trace');
select is(tests.suspended('olga'), 'infinity', 'and stays suspended');
select tests.act_as_role('service_role');
select tests.refused(format('insert into api.waitlist_entries (time_slot, user_id) values (tests.slot(''two''), %L)', tests.member('ann')), 'PT403', 'suspended', 'no trusted server gets her in');
select tests.refused('select api.suspend_user(tests.member(''ann''), null, ''Fine'')', 'PT403', 'no_campus', 'it names the campus');
select is(api.suspend_user(tests.member('ann'), null, 'Fine', 'stanford') ->> 'suspendedUntil', null, 'and may lift it');
select set_config('request.jwt.claims', jsonb_set(current_setting('request.jwt.claims')::jsonb, '{sub}', to_jsonb(tests.member('ann')))::text, true);
select is(api.suspend_user(tests.member('ann'), null, 'Fine', 'stanford') ->> 'userId', tests.member('ann')::text, 'whatever its token names as sub: it has no case of its own');
select tests.act_as_nobody();
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ann');
select tests.act_as_role('service_role');
select tests.refused(format('insert into api.waitlist_entries (time_slot, user_id) values (tests.slot(''two''), %L)', tests.member('ann')), 'PT404', 'member_not_found', 'nor gets it in who is gone');
select tests.act_as_role('anon');
select throws_ok('select api.suspend_user(null, null, null)', '42501', null, 'nobody at all');

select * from finish();
rollback;
