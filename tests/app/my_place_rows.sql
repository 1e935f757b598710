-- Where the places of the caller and of the mates lie: what the policy of places finds them by.

begin;
select plan(7);

select is_definer('app', 'my_place_rows', 'asked by the policy of the table that it reads');
select volatility_is('app', 'my_place_rows', 'stable', 'with the snapshot of the query that asks: its addresses are of the rows that the query sees');
select tests.may_call('app.my_place_rows()', '{authenticated}');

select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, slot, circle_no) from (values
  ('ann', 'eleven', 1), ('ben', 'eleven', 1), ('cas', 'eleven', 2), ('ann', 'two', 2), ('cas', 'two', 2)
) as places (name, slot, circle_no);
create function tests.lie_there(p_rows tid[]) returns text[] language sql security definer as $$
  select array(select slots.name || ' ' || people.name from app.circle_members as members
    inner join tests.slots using (campus_id, time_slot) inner join tests.people using (campus_id, user_id)
    where members.ctid = any(p_rows) order by 1)
$$;

select tests.act_as('ann');
select is(tests.lie_there(app.my_place_rows()), '{"eleven ann","eleven ben","two ann","two cas"}', 'all of one''s own circles, and no other');
select tests.act_as(null);
select is(app.my_place_rows(), '{}', 'a token that names nobody has none');

select tests.act_as_nobody();
update app.circle_members set cancelled_at = tests.slot('two') where user_id = tests.member('ann') and time_slot = tests.slot('two');
select tests.act_as('ann');
select is(tests.lie_there(app.my_place_rows()), '{"eleven ann","eleven ben","two ann"}', 'of a circle that one has left only the own place');
select tests.act_as('cas');
select is(tests.lie_there(app.my_place_rows()), '{"eleven cas","two cas"}', 'and who has left is nobody''s mate there');

select * from finish();
rollback;
