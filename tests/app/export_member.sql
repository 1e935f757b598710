-- All that is kept about a member, for the member: nothing of theirs is missing, nothing of others is in it.

begin;
select plan(19);

select isnt_definer('app', 'export_member', array['text', 'uuid'], 'called from definers only');
select tests.may_call('app.export_member(text, uuid)', '{}');

-- Given Ann with a past; about her there is a report by Ben, feedback by Cas, and Ben's block.
select tests.create_member(name) from unnest('{ann,ben,cas,new}'::text[]) as names (name);
select tests.create_member('olga', p_tier => 'operator');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.joined('ann', 'five', true);
select tests.blocked('ben', 'ann'), tests.blocked('ann', 'cas');
select tests.clock_stands(tests.slot('two') + interval '30 minutes');
select set_config('request.jwt.claims', tests.claims('ann')::text, true);
select app.submit_feedback('stanford', tests.member('ann'), tests.slot('two'), 4, 'Mine', jsonb_build_array(jsonb_build_object('userId', tests.member('cas'), 'meetAgain', true)));
select app.report_user('stanford', tests.member('ann'), tests.slot('two'), tests.member('cas'), 'fake', 'Told by Ann');
select app.update_profile('stanford', tests.member('ann'), 'Annie', null);
select set_config('request.jwt.claims', tests.claims('ben')::text, true);
select app.report_user('stanford', tests.member('ben'), tests.slot('two'), tests.member('ann'), 'harassment', 'Told by Ben');
select set_config('request.jwt.claims', tests.claims('cas')::text, true);
select app.submit_feedback('stanford', tests.member('cas'), tests.slot('two'), 1, 'Said by Cas', jsonb_build_array(jsonb_build_object('userId', tests.member('ann'), 'noShow', true)));
select set_config('request.jwt.claims', tests.claims('olga')::text, true);
select app.suspend_user('stanford', tests.member('ann'), 'infinity', 'Be kind');
insert into identity.sessions (session_id, campus_id, user_id, created_at, renewed_at, expires_at, address)
select gen_random_uuid(), 'stanford', tests.member(name), clock_timestamp(), clock_timestamp(), clock_timestamp() + interval '1 hour', name from unnest('{ann,ben}'::text[]) as names (name);
select identity.end_session(identity.begin_session('stanford', tests.member('ann'), clock_timestamp() - interval '1 day'), 'session.ended', clock_timestamp())
from (select set_config('request.headers', '{"x-real-ip": "once", "user-agent": "Firefox"}', true)) as headers;
create temporary table told as select app.export_member('stanford', tests.member('ann')) as e;

select is(tests.keys(e), 'circles feedback profile reports sessions trail waitlistEntries', 'seven parts') from told;
select is(e -> 'profile' ->> 'email', 'ann@stanford.edu', 'the address, here only') from told;
select is(e -> 'profile' ->> 'suspendedUntil', 'infinity', 'that she is suspended') from told;
select is(e -> 'profile' -> 'blocked', jsonb_build_array(jsonb_build_object('userId', tests.member('cas'), 'displayName', 'Cas')), 'whom she blocks') from told;
select is(jsonb_path_query_array(e, '$.waitlistEntries[*].leftAt') -> 0, 'null', 'the lists she was on, and') from told;
select is(jsonb_array_length(e -> 'waitlistEntries'), 2, 'also the one she left') from told;
select is((e #> '{circles,0}') - 'timeSlot', '{"circleNo": 1, "cancelledAt": null, "attended": null}', 'her circles') from told;
select is((e #> '{feedback,0}') - 'timeSlot' - 'createdAt', jsonb_build_object('rating', 4, 'comment', 'Mine', 'about', jsonb_build_array(jsonb_build_object('userId', tests.member('cas'), 'meetAgain', true, 'noShow', false))), 'what she said') from told;
select is(jsonb_path_query_array(e, '$.reports[*].comment'), '["Told by Ann"]', 'what she reported, not what was reported about her') from told;
select is(jsonb_path_query_array(e, '$.sessions[*].address'), '["ann", "once"]', 'where she is and was signed in, not Ben') from told;
select is(jsonb_path_query_array(e, '$.trail[*].action'), '["session.ended", "session.begun", "user.suspended", "profile.updated", "user.reported", "feedback.given"]', 'her trail') from told;
select is(jsonb_path_query_first(e, '$.trail[*] ? (@.action == "user.suspended")') - 'at', '{"action": "user.suspended", "by": "operator", "address": null, "timeSlot": null, "old": null, "new": null, "details": {"until": "infinity", "reason": "Be kind"}}',
  'with the operator''s reason, not their name') from told;
select is_empty(format('select from told where e::text ~ %L', tests.member('olga') || '|' || tests.member('ben') || '|(ben|cas|olga)@|Told by Ben|harassment|Said by Cas'), 'no operator, no reporter, no other address, no word of others') from told;
select is(app.export_member('stanford', tests.member('new')) - 'profile', '{"circles": [], "feedback": [], "reports": [], "sessions": [], "trail": [], "waitlistEntries": []}', 'who is new gets empty lists');
select tests.refused($$ select app.export_member(null, tests.member('ann')) $$, 'PT403', 'no_campus', 'no campus, no member');

-- A trail of any length costs no more than this.
insert into audit.log (action, campus_id, user_id, actor_role) select 'a.line', 'stanford', tests.member('new'), 'test' from generate_series(1, 10001);
select is(jsonb_array_length(app.export_member('stanford', tests.member('new')) -> 'trail'), 10000, 'of a long trail the newest lines; my_trail has the others');

-- Whatever table holds a member is in the export, or stands here with the reason.
select set_eq(
  $$ select distinct c.oid::regclass::text
    from pg_attribute as a
    inner join pg_class as c on c.oid = a.attrelid and c.relkind in ('r', 'p') and not c.relispartition
    where c.relnamespace::regnamespace::text in ('app', 'audit', 'identity', 'events', 'ops')
      and (a.attname ~ '(user|blocked|reported|about|actor)_(id|a|b)$' or a.attname in ('email', 'recipient', 'caller', 'channel', 'address')) $$,
  array[
    'app.users', 'app.user_campuses', 'app.blocks',  -- profile
    'app.waitlist_entries', 'app.circle_members', 'app.feedback', 'app.feedback_about', 'app.reports',
    'identity.sessions', 'audit.log', 'audit.changes',
    'app.meetings',  -- counted from the circles
    'identity.login_codes', 'identity.mails',  -- for a day; the trail of a session tells that somebody signed in
    'events.outbox', 'ops.buckets', 'events.streams'  -- for seconds, for a minute, for as long as it is open
  ],
  'no table with members in it is forgotten'
);

select * from finish();
rollback;
