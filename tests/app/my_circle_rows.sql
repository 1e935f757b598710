-- Where the rows of the caller's circles lie: what the policy of circles finds them by.

begin;
select plan(6);

select is_definer('app', 'my_circle_rows', 'asked by the policy of the table that it reads');
select volatility_is('app', 'my_circle_rows', 'stable', 'with the snapshot of the query that asks: its addresses are of the rows that the query sees');
select tests.may_call('app.my_circle_rows()', '{authenticated}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.in_circle('ann', 'eleven');
select tests.in_circle('ann', 'two', 2);
select tests.in_circle('ben', 'eleven', 2);
create function tests.lie_there(p_rows tid[]) returns text[] language sql security definer as $$
  select array(select slots.name || ' ' || circles.circle_no from app.circles inner join tests.slots using (campus_id, time_slot)
    where circles.ctid = any(p_rows) order by 1)
$$;

select tests.act_as('ann');
select is(tests.lie_there(app.my_circle_rows()), '{"eleven 1","two 2"}', 'each of one''s own, and nobody else''s');
select tests.act_as(null);
select is(app.my_circle_rows(), '{}', 'a token that names nobody has none');

select tests.act_as_nobody();
update app.circle_members set cancelled_at = tests.slot('two') where user_id = tests.member('ann') and time_slot = tests.slot('two');
select tests.act_as('ann');
select is(tests.lie_there(app.my_circle_rows()), '{"eleven 1"}', 'nor is one that was given up');

select * from finish();
rollback;
