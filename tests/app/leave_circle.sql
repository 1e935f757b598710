-- Giving up a place: the others hear who is left, and every watcher's button stays right.

begin;
select plan(12);

select isnt_definer('app', 'leave_circle', array['text', 'uuid', 'timestamp with time zone', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.leave_circle(text, uuid, timestamptz, timestamptz)', '{}');

-- Given a circle of three, another circle, and Eva who was left out.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.joined('eva', 'two');
select tests.clock_stands(tests.slot('two') - interval '30 minutes');
select is_empty('select from tests.told()', 'given nothing to tell');
create table tests.before as select max(version) as version from app.waitlist_entries;
create function tests.gives_up(p_name text) returns boolean
language sql as $$ select app.leave_circle('stanford', tests.member(p_name), tests.slot('two'), app.clock()) $$;

set local timezone = 'Asia/Tokyo';
select is(tests.gives_up('ann'), true, 'Ann gives up her place');
select is(current_setting('timezone'), 'Asia/Tokyo', 'and the caller''s zone is as it was');
select results_eq($$
  select channel, event, payload ->> 'buttonState', (payload ->> 'version')::bigint > (select version from tests.before),
    payload ->> 'timeSlot', jsonb_array_length(payload -> 'members')
  from tests.told() order by event, channel $$, $$ values
  ('user:ann', 'button', 'past', true, '2030-06-12T14:00:00-07:00', null::integer),
  ('user:ben', 'circle', null, null, '2030-06-12T14:00:00-07:00', 2), ('user:cas', 'circle', null, null, '2030-06-12T14:00:00-07:00', 2) $$,
  'her button is newer than before, her mates hear who is left, in the campus''s time; nobody else hears a thing');
select results_eq('select * from tests.trail()', $$ values ('circle.left', 'ann', 'two', null::jsonb) $$, 'and the trail has it');
select is((select version from app.waitlist_entries where user_id = tests.member('ann')) , (select max(version) from app.waitlist_entries), 'what is asked for is as new as what was told');
select is(tests.gives_up('ann'), false, 'again: there is no place');
select is_empty('select from tests.told() union all select from tests.trail()', 'and nothing to tell');
select is(tests.gives_up('eva'), false, 'who was left out has none either');
select results_eq($$ select * from tests.circles('two') $$, $$ values ('ben cas'), ('dan') $$, 'everyone else sits where they sat');

select * from finish();
rollback;
