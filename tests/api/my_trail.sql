-- A member reads their own trail. What is in it: tests/audit/member_trail.sql.

begin;
select plan(15);

select is_definer('api', 'my_trail', array['timestamp with time zone', 'integer'], 'members hold no right on the trail');
select volatility_is('api', 'my_trail', array['timestamp with time zone', 'integer'], 'stable', 'it only reads');
select tests.may_call('api.my_trail(timestamptz, integer)', '{authenticated}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.clock('9:00');
select tests.act_as('ann');
select is(api.my_trail(), '{"trail": []}', 'nothing was done yet');
select is(api.join_waitlist(tests.slot('two')) ->> 'buttonState', 'leave', 'Ann joins');
select is(api.leave_waitlist(tests.slot('two')) ->> 'buttonState', 'join', 'and leaves');
select is(jsonb_path_query_array(api.my_trail(), '$.trail[*].action'), '["waitlist.left", "waitlist.joined"]', 'both are in her trail');
select is(jsonb_path_query_array(api.my_trail(null, 1), '$.trail[*].action'), '["waitlist.left"]', 'one at a time');
select is(jsonb_path_query_array(api.my_trail((api.my_trail(null, 1) #>> '{trail,0,at}')::timestamptz), '$.trail[*].action'), '["waitlist.joined"]', 'and what was before');
select tests.refused(format('select api.my_trail(null, %L::integer)', n), 'PT422', 'limit_invalid', coalesce(n::text, 'nothing') || ' is no number of lines') from (values (0), (10001), (null)) as limits (n);
select tests.act_as('ben');
select is(api.my_trail(), '{"trail": []}', 'Ben has his own');
select tests.act_as(null);
select tests.refused('select api.my_trail()', 'PT401', 'not_signed_in', 'nobody has none');
select tests.act_as_role('service_role');
select throws_ok('select api.my_trail()', '42501', null, 'no trusted server asks for a member');

select * from finish();
rollback;
