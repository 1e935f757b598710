-- What a member may change of themselves, and nothing else.

begin;
select plan(36);

select is_definer('api', 'update_profile', array['text', 'jsonb', 'boolean'], 'members hold no right to write a table');
select volatility_is('api', 'update_profile', array['text', 'jsonb', 'boolean'], 'volatile', 'it writes');
select tests.may_call('api.update_profile(text, jsonb, boolean)', '{authenticated}');
select tests.may_call('app.update_profile(text, uuid, text, jsonb, boolean)', '{}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);

select tests.act_as('ann');
select is(api.update_profile('  Annie ', '{"year": 2}') - 'userId', '{"campusId": "stanford", "timeZone": "America/Los_Angeles", "displayName": "Annie", "tier": "user", "suspendedUntil": null, "attributes": {"year": 2}, "circleMail": true, "blocked": []}',
  'Ann is Annie now, without the blanks around it');
select results_eq('select * from tests.trail()', $$ values ('profile.updated', 'ann', null, '{"changed": ["displayName", "attributes"]}'::jsonb) $$, 'the trail has what was changed, not to what');
select results_eq($$ select channel, event, payload ->> 'displayName' from tests.told() $$, $$ values ('user:ann', 'profile', 'Annie') $$,
  'her other devices are told, and nobody else');
select tests.repeats($$ select api.update_profile('Annie', '{"year": 2}') $$, 'the same again gives the same answer and writes nothing');
select tests.repeats('select api.update_profile()', 'nothing is changed by nothing');
select is(api.update_profile(p_attributes => 'null') -> 'attributes', '{"year": 2}', 'nor by JSON''s null');
select is(api.update_profile(p_display_name => 'Ann') -> 'attributes', '{"year": 2}', 'a new name leaves the attributes');
select is(api.update_profile(p_attributes => '{}') ->> 'displayName', 'Ann', 'new attributes leave the name');
select results_eq('select details -> ''changed'' from tests.trail()', $$ values ('["displayName"]'::jsonb), ('["attributes"]') $$, 'each in the trail');
select is(api.update_profile(p_circle_mail => false) -> 'circleMail', 'false', 'mails about circles can be switched off');
select tests.repeats('select api.update_profile(p_circle_mail => false)', 'once');
select results_eq('select details -> ''changed'' from tests.trail()', $$ values ('["circleMail"]'::jsonb) $$, 'as the trail knows');
select is(length(api.update_profile(repeat('x', 80)) ->> 'displayName'), 80, 'a name of 80 characters is allowed');
select is(octet_length((api.update_profile(p_attributes => jsonb_build_object('k', repeat('x', 4087))) -> 'attributes')::text), 4096, 'so are 4096 bytes of attributes');
select is(api.update_profile('<b>"Zoë" & 李</b>') ->> 'displayName', '<b>"Zoë" & 李</b>', 'a name is text, whatever is in it');

-- What is not allowed.
select tests.refused(format('select api.update_profile(%L)', name), 'PT422', 'display_name_invalid', says)
from (values ('', 'no empty name'), ('   ', 'no blank one'), (repeat('x', 81), 'no 81 characters'), (E'a\nb', 'no line break'), (E'a\tb', 'no tab')) as bad (name, says);
select tests.refused(format('select api.update_profile(p_attributes => %L)', attributes), 'PT422', 'attributes_invalid', says)
from (values ('[]'::jsonb, 'attributes are no list'), ('7', 'no number'), ('"x"', 'no text'), (jsonb_build_object('k', repeat('x', 4088)), 'not 4097 bytes')) as bad (attributes, says);
select is(api.my_profile() ->> 'displayName', '<b>"Zoë" & 李</b>', 'which changed nothing');
select tests.act_as('ben');
select is(api.my_profile() - 'userId' - 'campusId' - 'timeZone', '{"displayName": "Ben", "tier": "user", "suspendedUntil": null, "attributes": {}, "circleMail": true, "blocked": []}', 'nor was Ben changed by any of it');

-- The wrong people.
select tests.act_as(null);
select tests.refused('select api.update_profile(''X'')', 'PT401', 'not_signed_in', 'a token that names nobody');
select tests.act_as('ann', '{"campus_id": "mit"}');
select tests.refused('select api.update_profile(''X'')', 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.act_as_role('service_role');
select throws_ok('select api.update_profile(''X'')', '42501', null, 'nobody speaks for a member');
select tests.act_as_nobody();
select tests.refused('select app.update_profile(null, tests.member(''ann''), ''X'', null)', 'PT403', 'no_campus', 'no campus, no member');
select tests.refused('select app.update_profile(''stanford'', gen_random_uuid(), ''X'', null)', 'PT404', 'member_not_found', 'no member, no profile');
select is((select count(*) from pg_proc where proname = 'update_profile' and pronamespace = 'api'::regnamespace), 1::bigint, 'tier and address are no arguments of any form of it');

select * from finish();
rollback;
