-- Why these people sit together: for operators, on their own campus.

begin;
select plan(13);

select is_definer('api', 'explain_circle', array['timestamp with time zone', 'integer', 'text'], 'nobody may read the circles of others');
select tests.may_call('api.explain_circle(timestamptz, integer, text)', '{authenticated,service_role}');
select tests.may_call('app.explain_circle(text, timestamptz, integer)', '{}');

select tests.create_member(name, 'stanford', case name when 'olga' then 'operator' else 'user' end) from unnest('{ann,ben,cas,olga}'::text[]) as names (name);
select tests.create_member('mo', 'mit', 'operator');
select tests.create_slot('two', '14:00');
select tests.joined(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.clock('13:00');
select lives_ok($$ select app.match_time_slot('stanford', tests.slot('two')) $$, 'given a circle');
select isnt_empty('select from tests.trail()', 'and its trail');

select tests.act_as('olga');
select results_eq($$ select person ->> 'displayName' from jsonb_array_elements(api.explain_circle(tests.slot('two'), 1) -> 'people') as people (person) $$,
  $$ values ('Ann'), ('Ben'), ('Cas') $$, 'an operator sees who is in it');
select is(tests.keys(api.explain_circle(tests.slot('two'), 1)), 'campusId circleNo people reasons timeSlot', 'and why');
select tests.denied($$ select api.explain_circle(tests.slot('two'), 1, 'mit') $$, '403', 'operators_only', 'on another campus an operator is a member like others');
select tests.act_as('mo');
select tests.refused($$ select api.explain_circle(tests.slot('two'), 1) $$, 'PT404', 'slot_not_found', 'nor does the operator of another campus see it');
select tests.act_as('ann');
select tests.denied($$ select api.explain_circle(tests.slot('two'), 1) $$, '403', 'operators_only', 'a member sees none, not even of the own circle');
select tests.act_as_role('service_role');
select is(api.explain_circle(tests.slot('two'), 1, 'stanford') ->> 'circleNo', '1', 'a trusted server names the campus');
select tests.refused($$ select api.explain_circle(tests.slot('two'), 1) $$, 'PT403', 'no_campus', 'and must');
select tests.act_as_nobody();
select results_eq('select action, member, slot from tests.trail()', $$ values ('circle.explain_denied', 'olga', 'two'), ('circle.explain_denied', 'ann', 'two') $$, 'denied attempts are in the trail');

select * from finish();
rollback;
