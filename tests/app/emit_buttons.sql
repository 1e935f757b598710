-- Everyone on the list is told what their button says now.

begin;
select plan(8);

select isnt_definer('app', 'emit_buttons', array['text', 'timestamp with time zone', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.emit_buttons(text, timestamptz, timestamptz)', '{}');

-- Given a matched slot: Ann in a circle, Ben too, with feedback given, Cas gave up the place, Dan was left out, Ivy left, Fay never came.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,ivy,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('mits', '14:00', 'mit');
select tests.in_circle(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.joined('dan', 'two');
select tests.joined('ivy', 'two', true);
select tests.joined('fay', 'five');
select tests.joined('mia', 'mits');
select tests.gave_feedback('ben', 'two');
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('cas');
set local timezone = 'Asia/Tokyo';

select app.emit_buttons('stanford', tests.slot('two'), tests.slot('two') + interval '20 minutes');
create table tests.heard as select * from tests.told();
select is(current_setting('TimeZone'), 'Asia/Tokyo', 'the caller''s own zone is left as it was');
select set_config('TimeZone', 'America/Los_Angeles', true);
select results_eq($$ select channel, event, payload ->> 'buttonState', payload ->> 'middleText' from tests.heard order by channel $$,
  $$ values ('user:ann', 'button', 'feedback', 'Confirmed at 1PM'), ('user:ben', 'button', 'past', 'Confirmed at 1PM'), ('user:cas', 'button', 'past', 'Closed at 1PM'), ('user:dan', 'button', 'past', 'Closed at 1PM') $$,
  'each on the list hears their own button; who left, or is on another list, nothing');
select is_empty($$ select from tests.heard where payload <> app.button('stanford', tests.member(split_part(channel, ':', 2)), tests.slot('two'), tests.slot('two') + interval '20 minutes')::jsonb $$,
  'the very button that asking gives');
select is((select distinct payload ->> 'timeSlot' from tests.heard), '2030-06-12T14:00:00-07:00', 'in the campus''s zone');
select app.emit_buttons('stanford', tests.slot('two'), tests.slot('two'));
select results_eq($$ select channel, payload ->> 'buttonState', payload ->> 'changesAt' from tests.told() order by channel limit 2 $$,
  $$ values ('user:ann', 'confirmed', '2030-06-12T14:20:00-07:00'), ('user:ben', 'confirmed', '2030-06-12T14:20:00-07:00') $$, 'at the time that is given');
select app.emit_buttons('mit', tests.slot('two'), now());
select results_eq('select channel from tests.told()', array['user:mia'], 'another campus''s slot at the same instant is another slot');

select * from finish();
rollback;
