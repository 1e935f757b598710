-- Everyone on the list of a matched slot is told with whom they meet, or that they do not.

begin;
select plan(9);

select isnt_definer('app', 'emit_circles', array['text', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.emit_circles(text, timestamptz)', '{}');

-- Given circles of Ann and Ben and of Cas, Dan left out, Ivy who left; and one at the same instant on another campus.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,ivy}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('mits', '14:00', 'mit');
select tests.in_circle(name, 'two', case name when 'cas' then 2 else 1 end) from unnest('{ben,ann,cas}'::text[]) as names (name);
select tests.joined('dan', 'two');
select tests.joined('ivy', 'two', true);
select tests.in_circle('mia', 'mits');
select app.add_meeting_spot('stanford', 'steps', 'Library steps');
update app.circles set spot_id = 'steps' where campus_id = 'stanford' and circle_no = 1;
set local timezone = 'Asia/Tokyo';

select app.emit_circles('stanford', tests.slot('two'));
create table tests.heard as select * from tests.told();
select is(current_setting('TimeZone'), 'Asia/Tokyo', 'the caller''s own zone is left as it was');
select set_config('TimeZone', 'America/Los_Angeles', true);
select results_eq($$ select channel, event, payload -> 'circleNo', payload #>> '{spot,name}', jsonb_path_query_array(payload, '$.members[*].displayName') from tests.heard order by channel $$,
  $$ values ('user:ann', 'circle', '1'::jsonb, 'Library steps', '["Ann", "Ben"]'::jsonb), ('user:ben', 'circle', '1', 'Library steps', '["Ann", "Ben"]'), 
    ('user:cas', 'circle', '2', null, '["Cas"]'), ('user:dan', 'circle', 'null', null, '[]') $$,
  'each hears their own circle, whole; who left nothing');
select is((select payload from tests.heard where channel = 'user:dan'), '{"timeSlot": "2030-06-12T14:00:00-07:00", "circleNo": null, "reason": "no_circle_formed"}', 'who is left out hears why, in the campus''s zone');
select is(payload, app.member_circle('stanford', tests.member('ann'), tests.slot('two'), now()), 'what is told is what asking gives') from tests.heard where channel = 'user:ann';
select is(tests.keys(payload #> '{members,0}'), 'displayName userId', 'names and ids, no address') from tests.heard where channel = 'user:ann';

-- Ben gives up the place.
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('ben');
select app.emit_circles('stanford', tests.slot('two'));
select results_eq($$ select channel, payload -> 'members' -> 1 from tests.told() order by channel $$, $$ values ('user:ann', null::jsonb), ('user:cas', null), ('user:dan', null) $$,
  'who gave up the place is not in the message, and gets none');

-- The largest circle there can be, with the longest names, in one message.
update app.users set display_name = repeat('"', 80) where campus_id = 'stanford';
update app.circle_members set cancelled_at = null;
select tests.create_member('m' || n) from generate_series(1, 17) as many (n);
update app.users set display_name = repeat('𝄞', 80) where email like 'm%';
select tests.in_circle('m' || n, 'two', 1) from generate_series(1, 17) as many (n);
select lives_ok($$ select app.emit_circles('stanford', tests.slot('two')) $$, 'nineteen people with names of 80 wide characters are not too many for a message');

select * from finish();
rollback;
