-- Whom one meets, and where: told to those in the circle, from the matching on.

begin;
select plan(24);

select is_definer('api', 'my_circle', array['timestamp with time zone'], 'members hold no right on the tables');
select volatility_is('api', 'my_circle', array['timestamp with time zone'], 'stable', 'so GET and READ ONLY transactions will do');
select tests.may_call('api.my_circle(timestamptz)', '{authenticated}');
select tests.may_call('app.member_circle(text, uuid, timestamptz, timestamptz)', '{}');

-- Given Ann, Ben and Cas in one circle, Dan in the other, Eva left out, and Fay who never joined.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.joined(name, 'two') from unnest('{ann,eva}'::text[]) as names (name);
select tests.clock_stands(tests.slot('two') - interval '1 hour 1 us');

select tests.act_as('ann');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT409', 'not_matched_yet', 'before the deadline there is none');
select tests.clock_stands(tests.slot('two') - interval '1 hour');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT409', 'not_matched_yet', 'nor at the deadline, until the matching has committed');
select tests.act_as('fay');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT409', 'not_matched_yet', 'whoever asks');

select tests.act_as_nobody();
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{cas,ann,dan,ben}'::text[]) as names (name);
select app.add_meeting_spot('stanford', 'library-steps', 'Library, front steps');
update app.circles set spot_id = 'library-steps' where circle_no = 1;
set local timezone = 'America/Los_Angeles';

select tests.act_as('ben');
select is(api.my_circle(tests.slot('two')), jsonb_build_object(
  'timeSlot', '2030-06-12T14:00:00-07:00', 'circleNo', 1, 'spot', '{"spotId": "library-steps", "name": "Library, front steps"}'::jsonb,
  'members', jsonb_build_array(
    jsonb_build_object('userId', tests.member('ann'), 'displayName', 'Ann'),
    jsonb_build_object('userId', tests.member('ben'), 'displayName', 'Ben'),
    jsonb_build_object('userId', tests.member('cas'), 'displayName', 'Cas')), 'belowMinimum', false),
  'Ben sees his circle in the order of names, himself included, and where: ids and names, no address');
select tests.repeats('select api.my_circle(tests.slot(''two''))', 'as often as he likes');
select tests.act_as('dan');
select is(api.my_circle(tests.slot('two')) - 'members' - 'timeSlot', '{"circleNo": 2, "spot": null, "belowMinimum": true}', 'Dan sees his, which has no spot, and fewer people than the campus wants');
select is(api.my_circle(tests.slot('two')) #>> '{members,0,displayName}', 'Dan', 'and only who is in it');
select tests.act_as('eva');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT404', 'no_circle_formed', 'Eva, on the list and left out, hears that');
select tests.act_as('fay');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT404', 'no_circle', 'Fay, who was not on the list, is in none');
select tests.act_as('mia');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT404', 'slot_not_found', 'Mia''s campus has no such slot');

-- Ben gives his place up.
select tests.act_as_nobody();
update app.circle_members set cancelled_at = app.clock() where user_id = tests.member('ben');
select tests.act_as('ben');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT404', 'no_circle', 'who gave up their place is in none');
select tests.act_as('ann');
select is(jsonb_path_query_array(api.my_circle(tests.slot('two')), '$.members[*].displayName'), '["Ann", "Cas"]', 'and the others see who comes');
select tests.clock_stands(tests.slot('two') + interval '1 day');
select is(api.my_circle(tests.slot('two')) ->> 'circleNo', '1', 'days later it is still told');
select tests.clock_stands(tests.slot('two') - interval '2 hours');
select is(api.my_circle(tests.slot('two')) ->> 'circleNo', '1', 'what was matched stays matched, whatever the clock says');

-- Called off; no slot, no member, no right.
select tests.act_as_nobody();
select tests.cancelled('two');
select tests.act_as('ann');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT409', 'slot_cancelled', 'in a slot that was called off nobody meets');
select tests.refused('select api.my_circle(null)', 'PT404', 'slot_not_found', 'nothing is no slot');
select tests.act_as(null);
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.my_circle(tests.slot(''two''))', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('anon');
select throws_ok('select api.my_circle(tests.slot(''two''))', '42501', null, 'a stranger may not ask');
select tests.act_as_nobody();
select tests.refused('select app.member_circle(null, tests.member(''ann''), tests.slot(''two''), now())', 'PT403', 'no_campus', 'no campus, no slot');

select * from finish();
rollback;
