-- What a mail says about a circle: to those who have a place and want mail, as it is when the mail is taken.

begin;
select plan(29);

select is_definer('app', 'circle_mail', array['text', 'uuid', 'timestamp with time zone'], 'the mails'' owner reads no table of the app');
select tests.may_call('app.circle_mail(text, uuid, timestamptz)', '{}');
select tests.may_call('app.mail_circles(text, timestamptz, uuid[], interval)', '{}');
select tests.may_call('app.mail_slot(text, timestamptz)', '{}');
select ok(has_function_privilege('circle27_auth', 'app.circle_mail(text, uuid, timestamptz)', 'execute'), 'who takes the mails may ask');

-- Given four on the list of two, and one who wants no mail; Eva left it.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva,fay}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.joined(name, 'two', name = 'eva') from unnest('{ann,ben,cas,dan,eva}'::text[]) as names (name);
select app.add_meeting_spot('stanford', 'steps', 'Library, front steps');
update app.users set circle_mail = false where user_id = tests.member('dan');
select tests.clock_stands(tests.slot('two') - interval '1 hour');
-- The mailer comes by, so long after the mails were put into the queue.
create function tests.polls() returns void language sql as $$ update identity.mails set next_try_at = clock_timestamp() - interval '1 s'; select identity.take_mails(1) from identity.mails where kind = 'circles' $$;
create function tests.queued() returns text language sql as $$ select string_agg(split_part(recipient, '@', 1), ' ' order by recipient) from identity.mails $$;
create function tests.mail(p_name text) returns jsonb language sql as $$ select app.circle_mail('stanford', tests.member(p_name), tests.slot('two')) $$;
create function tests.forgets() returns void language sql as $$ delete from identity.mails $$;

select app.match_time_slot('stanford', tests.slot('two'), 1);
select results_eq('select kind, recipient, facts, next_try_at - created_at, expires_at - created_at from identity.mails', $$ values
  ('circles', null, '{"campusId": "stanford", "timeSlot": "2030-06-12T21:00:00+00:00"}'::jsonb, interval '10 s', interval '80 min') $$, 'the matching writes one line, whoever many they are');
select tests.polls();
select is(tests.queued(), 'ann ben cas', 'the matching has everybody told who has a place and wants mail');
select is((select expires_at - created_at from identity.mails limit 1) between '79 minutes' and '80 minutes', true, 'until the meeting is over');
select is(tests.keys(facts), 'campusId timeSlot userId', 'what waits names nobody and no spot: that may change') from identity.mails limit 1;
select is(tests.mail('ann'), jsonb_build_object(
  'event', jsonb_build_object('uid', extract(epoch from tests.slot('two'))::bigint || '-' || tests.member('ann') || '@stanford.circle27', 'sequence', 0,
    'status', 'CONFIRMED', 'startsAt', '2030-06-12T21:00:00+00:00', 'endsAt', '2030-06-12T21:20:00+00:00'),
  'slotCancelled', false, 'day', 'Wednesday, 12 June', 'hour', '2PM', 'spot', 'Library, front steps', 'belowMinimum', false, 'mates', '["Ben", "Cas", "Dan"]'::jsonb),
  'Ann is told whom she meets, when and where; the calendar''s times are UTC');
select is(tests.mail(name), null, name || ' is told nothing') from unnest('{dan,eva,fay}'::text[]) as names (name);

-- Changes.
select tests.forgets();
select app.cancel_place('stanford', tests.member('ben'), tests.slot('two'));
select is(tests.queued(), 'ann ben cas', 'when Ben gives up his place, he and the others are told');
select is(tests.mail('ann') -> 'event' -> 'sequence', '1', 'the next version of the same entry');
select is(tests.mail('ann') -> 'mates', '["Cas", "Dan"]', 'without Ben');
select is(tests.mail('ben') #>> '{event,status}', 'CANCELLED', 'his entry goes');
select is(tests.mail('ben') - 'event', '{"day": "Wednesday, 12 June", "hour": "2PM", "spot": null, "mates": [], "slotCancelled": false, "belowMinimum": false}', 'and he learns no more of the circle');
select is(tests.mail('ben') #>> '{event,uid}' = tests.mail('ann') #>> '{event,uid}', false, 'the entries of two members are two');
select tests.forgets();
select app.cancel_place('stanford', tests.member('cas'), tests.slot('two'));
select is(tests.mail('ann') -> 'belowMinimum', 'true', 'she hears that they are few');
select is(tests.mail('ann') -> 'event' -> 'sequence', '2', 'another version');
select tests.forgets();
select app.cancel_time_slot('stanford', tests.slot('two'));
select tests.polls();
select is(tests.queued(), 'ann', 'a slot that is called off: who had given up the place has been told before');
select is((tests.mail('ann') -> 'event') - array['uid', 'startsAt', 'endsAt'], '{"status": "CANCELLED", "sequence": 3}', 'the entry goes with the highest version');
select is(tests.mail('ann') -> 'slotCancelled', 'true', 'and the mail says why');
select is(tests.mail('ann') -> 'belowMinimum', 'false', 'and nothing more of the circle');

-- Nothing after the end, nor to who is gone.
select tests.forgets();
select app.mail_circles('stanford', tests.slot('two'), array[tests.member('ann')]);
select is(tests.queued(), 'ann', 'before the end');
select tests.forgets();
select tests.clock_stands(tests.slot('two') + interval '20 minutes');
select app.mail_circles('stanford', tests.slot('two'), array[tests.member('ann')]);
select app.mail_slot('stanford', tests.slot('two'));
select app.mail_slot('stanford', tests.slot('nine'));
select is(tests.queued(), null, 'nothing is told after the end, nor of no slot');
update app.user_campuses set closed_at = now() where user_id = tests.member('ann');
select is(tests.mail('ann'), null, 'nor to who has deleted the account');
select tests.refused($$ select app.circle_mail(null, tests.member('ann'), tests.slot('two')) $$, 'PT403', 'no_campus', 'nor of no campus');

select * from finish();
rollback;
