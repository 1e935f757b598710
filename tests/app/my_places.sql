-- The circles that the caller is in: what the policies of circles and places stand on.

begin;
select plan(6);

select is_definer('app', 'my_places', 'asked by the policy of the table that it reads');
select tests.may_call('app.my_places()', '{authenticated}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.in_circle('ann', 'eleven');
select tests.in_circle('ann', 'two', 2);
select tests.in_circle('ben', 'eleven');

select tests.act_as('ann');
select results_eq('select * from app.my_places() order by time_slot', $$ values ('stanford', tests.slot('eleven'), 1), ('stanford', tests.slot('two'), 2) $$, 'each of one''s own, and nobody else''s');
select tests.act_as(null);
select is_empty('select * from app.my_places()', 'a token that names nobody has none');

select tests.act_as_nobody();
update app.circle_members set cancelled_at = tests.slot('two') where user_id = tests.member('ann') and time_slot = tests.slot('two');
select tests.act_as('ann');
select results_eq('select time_slot from app.my_places()', $$ values (tests.slot('eleven')) $$, 'but not one that was given up');
select tests.act_as('ben');
select results_eq('select time_slot from app.my_places()', $$ values (tests.slot('eleven')) $$, 'which is nothing to the others');

select * from finish();
rollback;
