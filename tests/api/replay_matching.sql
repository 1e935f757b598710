-- Replaying a matching: for operators, on their own campus.

begin;
select plan(9);

select is_definer('api', 'replay_matching', array['timestamp with time zone', 'text'], 'nobody may read the tables');
select tests.may_call('api.replay_matching(timestamptz, text)', '{authenticated,service_role}');

select tests.create_member(name, 'stanford', case name when 'olga' then 'operator' else 'user' end) from unnest('{ann,ben,cas,olga}'::text[]) as names (name);
select tests.create_member('mo', 'mit', 'operator');
select tests.create_slot('two', '14:00');
select tests.joined(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.clock('13:00');
select app.match_time_slot('stanford', tests.slot('two'));
select isnt_empty('select from tests.trail()', 'given it was matched');

select tests.act_as('olga');
select is(api.replay_matching(tests.slot('two')) -> 'same', 'true', 'an operator sees that it would be the same again');
select tests.denied($$ select api.replay_matching(tests.slot('two'), 'mit') $$, '403', 'operators_only', 'on another campus an operator is a member like others');
select tests.act_as('mo');
select tests.refused($$ select api.replay_matching(tests.slot('two')) $$, 'PT404', 'slot_not_found', 'the slots of another campus are not there');
select tests.act_as('ann');
select tests.denied($$ select api.replay_matching(tests.slot('two')) $$, '403', 'operators_only', 'a member sees nothing');
select tests.act_as_role('service_role');
select is(api.replay_matching(tests.slot('two'), 'stanford') -> 'people', '3', 'a trusted server names the campus');
select tests.act_as_nobody();
select results_eq('select action, member, slot from tests.trail()', $$ values ('slot.replay_denied', 'olga', 'two'), ('slot.replay_denied', 'ann', 'two') $$, 'denied attempts are in the trail, and nothing else was written');

select * from finish();
rollback;
