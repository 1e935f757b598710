-- With whom the caller is or was in a circle: what the policies of names and places stand on.

begin;
select plan(8);

select is_definer('app', 'my_mates', 'it reads places that the caller may not read before it has answered');
select tests.may_call('app.my_mates()', '{authenticated}');

select tests.create_member(name) from unnest('{ann,ben,cas,dan,eve}'::text[]) as names (name);
select tests.create_member('fay', 'mit');
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.create_slot('two at mit', '14:00', 'mit');
select tests.in_circle(name, 'eleven') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.in_circle('dan', 'eleven', 2);
select tests.in_circle(name, 'two') from unnest('{ann,cas}'::text[]) as names (name);
select tests.in_circle('eve', 'two', 2);
-- The same instant and the same number, on another campus.
update app.campuses set time_zone = 'America/Los_Angeles' where campus_id = 'mit';
select tests.in_circle('fay', 'two at mit');

select tests.act_as('ann');
select results_eq('select mate from unnest(app.my_mates()) as mates (mate) order by mate',
  $$ select tests.member(name) from unnest('{ben,cas}'::text[]) as names (name) order by 1 $$, 'all of all circles, each once, and not oneself');
select tests.act_as('dan');
select is(app.my_mates(), '{}', 'another circle of the same slot is not one''s own');
select tests.act_as('fay');
select is(app.my_mates(), '{}', 'nor is the circle of that number on another campus');
select tests.act_as(null);
select is(app.my_mates(), '{}', 'a token that names nobody has none');

select tests.act_as_nobody();
update app.circle_members set cancelled_at = tests.slot('eleven') where user_id = tests.member('ben');
select tests.act_as('ann');
select is(app.my_mates(), array[tests.member('cas')], 'who gave their place up is none');
select tests.act_as('ben');
select is(app.my_mates(), '{}', 'and has none');

select * from finish();
rollback;
