-- The seed's call: the button of one slot.

begin;
select plan(23);

select is_definer('api', 'get_button_state', 'members hold no right on the tables');
select volatility_is('api', 'get_button_state', 'stable', 'so GET and READ ONLY transactions will do');
select function_privs_are('api', 'get_button_state', array['uuid', 'timestamptz', 'timestamptz'], role, rights, role)
from (values ('anon', array[]::text[]), ('authenticated', array['EXECUTE']), ('service_role', array['EXECUTE'])) as r (role, rights);
select has_function('api', 'get_button_state', array['uuid', 'timestamp with time zone', 'timestamp with time zone'], 'the seed''s signature');

-- Given Ann on the two o'clock list, at noon.
select tests.create_member('ann');
select tests.create_member('ben');
select tests.create_slot('two', '14:00');
select tests.joined('ann', 'two');
select tests.clock('12:00');

select tests.act_as('ann');
select is(api.get_button_state(tests.member('ann'), tests.slot('two'))::jsonb,
  '{"buttonState": "leave", "buttonText": "Can''t Go", "middleText": "Decide by 1PM", "isDisabled": false}', 'Ann''s button: four keys, no more');
select is(api.get_button_state(tests.member('ann'), tests.slot('two'), '2030-06-12 20:00-07') ->> 'buttonState', 'leave', 'her clock has no effect');
select tests.refused($$ select api.get_button_state(tests.member('ben'), tests.slot('two')) $$, 'PT403', 'not_yours', 'Ben''s button is not hers to see');
select tests.refused($$ select api.get_button_state(null, tests.slot('two')) $$, 'PT403', 'not_yours', 'nor is nobody''s');
select tests.refused($$ select api.get_button_state(tests.member('ann'), tests.slot('two') + interval '1 us') $$, 'PT404', 'slot_not_found', 'a microsecond off is another slot');
select tests.refused($$ select api.get_button_state(tests.member('ann'), null) $$, 'PT404', 'slot_not_found', 'no slot');
select tests.refused($$ select api.get_button_state(tests.member('ann'), 'infinity') $$, 'PT404', 'slot_not_found', 'no end of time');
select tests.clock('13:00');
select is(api.get_button_state(tests.member('ann'), tests.slot('two')) ->> 'buttonState', 'past', 'at the deadline, not matched yet: Method 7 says past');
select tests.act_as(null);
select tests.refused($$ select api.get_button_state(tests.member('ann'), tests.slot('two')) $$, 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as_role('anon');
select throws_ok($$ select api.get_button_state(tests.member('ann'), tests.slot('two')) $$, '42501', null, 'a stranger may not call it');

-- A trusted server asks for anyone, at any time.
select tests.act_as_role('service_role');
select is(api.get_button_state(tests.member(name), tests.slot('two'), at::timestamptz) ->> 'buttonState', wanted, name || ' at ' || at)
from (values
  ('ann', '2030-06-12 12:59:59.999999-07', 'leave'), ('ann', '2030-06-12 13:00-07', 'past'),
  ('ben', '2030-06-12 12:00-07', 'join'), ('ben', '2030-06-12 14:20-07', 'past')
) as asked (name, at, wanted);
select is(api.get_button_state(tests.member('ann'), tests.slot('two'), null) ->> 'buttonState', 'past', 'no time means now');
select tests.refused($$ select api.get_button_state(gen_random_uuid(), tests.slot('two')) $$, 'PT404', 'member_not_found', 'nobody');
-- A claim can't make a server of a member.
select tests.act_as('ann', '{"role": "service_role"}');
select tests.refused($$ select api.get_button_state(tests.member('ben'), tests.slot('two')) $$, 'PT403', 'not_yours', 'a role claim without the role has no effect');

select * from finish();
rollback;
