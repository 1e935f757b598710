-- Circles that are too small: for operators, on their own campus.

begin;
select plan(12);

select is_definer('api', 'short_circles', array['text'], 'nobody may read the circles of others');
select tests.may_call('api.short_circles(text)', '{authenticated,service_role}');
select tests.may_call('app.short_circles(text, timestamptz)', '{}');

select tests.create_member(name, 'stanford', case name when 'olga' then 'operator' else 'user' end) from unnest('{ann,ben,cas,dan,eva,olga}'::text[]) as names (name);
select tests.create_member('mo', 'mit', 'operator');
select tests.create_slot(name, at) from (values ('two', time '14:00'), ('five', '17:00'), ('six', '18:00'), ('nine', '09:00')) as slots (name, at);
select tests.in_circle(name, slot, circle_no) from (values
  ('ann', 'two', 1), ('ben', 'two', 1), ('cas', 'two', 2), ('dan', 'two', 2), ('eva', 'two', 2), ('ann', 'five', 1), ('ann', 'six', 1), ('ann', 'nine', 1)) as places (name, slot, circle_no);
select tests.cancelled('six');
update app.circle_members set cancelled_at = now() where time_slot = tests.slot('five');
select tests.clock('13:30');
select is_empty('select from tests.trail()', 'given nothing in the trail');

select tests.act_as('olga');
select results_eq($$ select circle ->> 'circleNo', jsonb_array_length(circle -> 'members'), circle -> 'belowMinimum' from jsonb_array_elements(api.short_circles() -> 'circles') as circles (circle) $$,
  $$ values ('1', 2, 'true'::jsonb) $$, 'an operator sees the circle of two; not that of three, nor an empty one, nor what is over or called off');
select tests.clock('14:20');
select is(api.short_circles(), '{"circles": []}', 'until it is over');
select tests.clock('13:30');
select tests.denied($$ select api.short_circles('mit') $$, '403', 'operators_only', 'on another campus an operator is a member like others');
select tests.act_as('mo');
select is(api.short_circles(), '{"circles": []}', 'nor does the operator of another campus see it');
select tests.act_as('ann');
select tests.denied('select api.short_circles()', '403', 'operators_only', 'a member sees none');
select tests.act_as_role('service_role');
select is(jsonb_array_length(api.short_circles('stanford') -> 'circles'), 1, 'a trusted server names the campus');
select tests.act_as_nobody();
select tests.refused('select app.short_circles(null, now())', 'PT403', 'no_campus', 'there are none of no campus');
select results_eq('select action, member from tests.trail()', $$ values ('circles.read_denied', 'olga'), ('circles.read_denied', 'ann') $$, 'denied attempts are in the trail');

select * from finish();
rollback;
