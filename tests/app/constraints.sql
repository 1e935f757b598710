-- Bad states can't be stored, whoever writes: each named check, one value that it keeps out beside the nearest it lets in.

begin;
select plan(91);

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select tests.gave_feedback('ann', 'two');
insert into app.feedback_about (campus_id, time_slot, user_id, about_id, no_show)
values ('stanford', tests.slot('two'), tests.member('ann'), tests.member('ben'), true);
select tests.blocked('ann', 'ben');
select app.add_meeting_spot('stanford', 'steps', 'Front steps');
insert into app.meetings values
('stanford', least(tests.member('ann'), tests.member('ben')), greatest(tests.member('ann'), tests.member('ben')), 1, tests.slot('two'));
select app.emit('stanford', 'campus:stanford', 'slot', '{}');
insert into app.reports (campus_id, time_slot, user_id, reported_id, reason, created_at)
values ('stanford', tests.slot('two'), tests.member('ann'), tests.member('ben'), 'fake', clock_timestamp());
select audit.record('test.done', 'stanford', tests.member('ann'), null, null, '{}', '{}');
insert into identity.login_codes (email, requested_at, allowance, code_hash, code_expires_at, tries_left)
values ('ann@stanford.edu', clock_timestamp(), 1, '\x00', clock_timestamp(), 1);
insert into identity.mails (kind, recipient, created_at, expires_at, next_try_at)
values ('test', 'ann@stanford.edu', '2030-01-01', '2030-01-02', '2030-01-01');
insert into identity.sessions (session_id, campus_id, user_id, created_at, renewed_at, expires_at)
values (gen_random_uuid(), 'stanford', tests.member('ann'), '2030-01-01', '2030-01-01', '2030-01-02');

insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
values ('stanford', md5('a stream'), tests.member('ann'), gen_random_uuid(), 'here', 1, clock_timestamp());

create temporary table cases (number serial, relation regclass, constraint_name text, bad text, good text);
insert into cases (relation, constraint_name, bad, good) values
('app.campuses', 'campuses_campus_id_form', $$campus_id = 'Stanford, CA'$$, $$campus_id = campus_id$$),
('app.campuses', 'campuses_deadline_lead_sane', $$deadline_lead = '0'$$, $$deadline_lead = '1 second'$$),
('app.campuses', 'campuses_deadline_lead_sane', $$deadline_lead = '1 day'$$, $$deadline_lead = '24 hours'$$),
('app.campuses', 'campuses_duration_sane', $$duration = '24:00:01'$$, $$duration = '24:00:00'$$),
('app.campuses', 'campuses_duration_sane', $$duration = '0'$$, $$duration = '1 second'$$),
('app.campuses', 'campuses_min_gap_days_sane', 'min_gap_days = -1', 'min_gap_days = 0'),
('app.campuses', 'campuses_name_present', $$name = ' '$$, $$name = 'x'$$),
('app.campuses', 'campuses_open_days_ahead_sane', 'open_days_ahead = 61', 'open_days_ahead = 60'),
('app.campuses', 'campuses_sizes_ascend', 'size_min = 5', 'size_min = 4'),
('app.campuses', 'campuses_sizes_ascend', 'size_max = 21', 'size_max = 20'),
('app.campuses', 'campuses_slot_times_sane', $$slot_times = '{}'$$, $$slot_times = '{11:00}'$$),
('app.campuses', 'campuses_time_zone_form', $$time_zone = 'PST8PDT'$$, $$time_zone = 'UTC'$$),
('app.campus_domains', 'campus_domains_domain_form', $$domain = 'Stanford.edu'$$, $$domain = 'cs.stanford.edu'$$),
('app.circle_members', 'circle_members_moved_elsewhere', 'moved_from = circle_no, moved_at = now()', 'moved_from = circle_no + 1, moved_at = now()'),
('app.circle_members', 'circle_members_moved_elsewhere', 'moved_from = 0, moved_at = now()', 'moved_from = 2, moved_at = now()'),
('app.circle_members', 'circle_members_moved_at_a_time', 'moved_at = null', 'moved_from = null, moved_at = null'),
('app.circle_members', 'circle_members_changes_count_sane', 'changes_count = -1', 'changes_count = 0'),
('app.circles', 'circles_circle_no_positive', 'circle_no = 0', 'circle_no = circle_no'),
('app.circles', 'circles_ends_after_start', 'ends_at = time_slot', $$ends_at = time_slot + interval '1 minute'$$),
('app.clock_offset', 'clock_offset_bounded', $$time_offset = interval '864000:00:01'$$, $$time_offset = interval '864000 hours'$$),
('app.clock_offset', 'clock_offset_exact', $$time_offset = '1 day'$$, $$time_offset = '24 hours'$$),
('app.clock_offset', 'clock_offset_one_row', 'only_row = false', 'only_row = true'),
('app.feedback', 'feedback_comment_length', $$comment = repeat('x', 2001)$$, $$comment = repeat('x', 2000)$$),
('app.feedback', 'feedback_rating_range', 'rating = 6', 'rating = 5'),
('app.feedback', 'feedback_rating_range', 'rating = 0', 'rating = 1'),
('app.feedback_about', 'feedback_about_no_show_says_no_more', 'meet_again = false', 'meet_again = null'),
('app.feedback_about', 'feedback_about_not_oneself', 'about_id = user_id', 'about_id = about_id'),
('app.blocks', 'blocks_not_oneself', 'blocked_id = user_id', 'blocked_id = blocked_id'),
('app.meeting_spots', 'meeting_spots_name_sane', $$name = ' steps'$$, $$name = 'steps'$$),
('app.meeting_spots', 'meeting_spots_spot_id_form', $$spot_id = 'Steps'$$, $$spot_id = 'steps-2'$$),
('app.meetings', 'meetings_count_positive', 'meetings_count = 0', 'meetings_count = 1'),
('app.meetings', 'meetings_ordered', 'user_a = user_b', 'user_a = user_a'),
('app.meetings', 'meetings_ordered', 'user_a = user_b, user_b = user_a', 'user_b = user_b'),
('app.time_slots', 'time_slots_matched_after_deadline', $$matched_at = deadline_at - interval '1 microsecond'$$, 'matched_at = deadline_at'),
('app.time_slots', 'time_slots_report_of_a_match', $$matched_at = null, match_report = '{}'$$, $$match_report = '{}'$$),
('app.time_slots', 'time_slots_inputs_of_a_match', $$matched_at = null, match_report = null, match_inputs = '{}'$$, $$match_inputs = '{}'$$),
('app.time_slots', 'time_slots_times_ascend', 'matched_at = null, match_report = null, match_inputs = null, deadline_at = time_slot', $$deadline_at = time_slot - interval '2 hours'$$),
('app.time_slots', 'time_slots_times_ascend', 'ends_at = time_slot', $$ends_at = time_slot + interval '1 second'$$),
('app.time_slots', 'time_slots_times_ascend', $$ends_at = 'infinity'$$, 'ends_at = ends_at'),
('app.users', 'users_attributes_object', $$attributes = '[]'$$, $$attributes = '{}'$$),
('app.users', 'users_attributes_small', $$attributes = jsonb_build_object('a', repeat('x', 4088))$$, $$attributes = jsonb_build_object('a', repeat('x', 4087))$$),
('app.users', 'users_display_name_sane', $$display_name = E'a\nb'$$, $$display_name = 'a b'$$),
('app.users', 'users_email_form', $$email = upper(email)$$, $$email = 'x' || email$$),
('app.users', 'users_tier_known', $$tier = 'admin'$$, $$tier = 'operator'$$),
('app.waitlist_entries', 'waitlist_entries_left_after_joined', $$left_at = joined_at - interval '1 microsecond'$$, 'left_at = joined_at'),
('audit.log', 'log_action_form', $$action = 'Slots opened'$$, $$action = 'slots.opened'$$),
('events.outbox', 'outbox_channel_form', $$channel = 'campus:a,user:b'$$, $$channel = 'campus:a-b'$$),
('events.outbox', 'outbox_event_form', $$event = E'a\r\nb'$$, $$event = 'a_b'$$),
('events.outbox', 'outbox_payload_object', $$payload = '[]'$$, $$payload = '{}'$$),
('events.streams', 'streams_stream_id_form', $$stream_id = upper(md5('a'))$$, $$stream_id = md5('a')$$),
('events.outbox', 'outbox_payload_small', $$payload = jsonb_build_object('a', repeat('x', 16376))$$, $$payload = jsonb_build_object('a', repeat('x', 16375))$$),
('app.reports', 'reports_not_oneself', 'reported_id = user_id', 'reported_id = reported_id'),
('app.reports', 'reports_reason_known', $$reason = 'rude'$$, $$reason = 'other'$$),
('app.reports', 'reports_comment_length', $$comment = repeat('x', 2001)$$, $$comment = repeat('x', 2000)$$),
('audit.changes', 'changes_values_objects', $$old_values = '[]'$$, $$old_values = '{"a": 1}'$$),
('audit.changes', 'changes_values_objects', $$new_values = '1'$$, $$new_values = '{"a": 1}'$$),
('identity.keys', 'keys_key_id_form', $$key_id = 'a b'$$, $$key_id = 'a-b_1'$$),
('identity.keys', 'keys_purpose_known', $$purpose = 'all'$$, $$purpose = 'access'$$),
('identity.keys', 'keys_secret_long', $$secret = convert_to(repeat('x', 31), 'UTF8')$$, $$secret = convert_to(repeat('x', 32), 'UTF8')$$),
('identity.settings', 'settings_one_row', 'only_row = false', 'only_row = true'),
('identity.settings', 'settings_access_token_life_sane', $$access_token_life = '0'$$, $$access_token_life = '1 second'$$),
('identity.settings', 'settings_access_token_life_sane', $$access_token_life = '24:00:01'$$, $$access_token_life = '24:00:00'$$),
('identity.settings', 'settings_session_lives_sane', $$session_idle_life = '59 seconds'$$, $$session_idle_life = '1 minute'$$),
('identity.settings', 'settings_session_lives_sane', $$session_life = '59 seconds'$$, $$session_life = '1 minute'$$),
('identity.settings', 'settings_code_life_sane', $$code_life = '59 seconds'$$, $$code_life = '1 minute'$$),
('identity.settings', 'settings_code_life_sane', $$code_life = '61 minutes'$$, $$code_life = '60 minutes'$$),
('identity.settings', 'settings_code_tries_sane', 'code_tries = 0', 'code_tries = 1'),
('identity.settings', 'settings_code_tries_sane', 'code_tries = 11', 'code_tries = 10'),
('identity.login_codes', 'login_codes_email_form', $$email = 'Ann@stanford.edu'$$, $$email = 'ann@stanford.edu'$$),
('identity.login_codes', 'login_codes_allowance_sane', 'allowance = -0.1', 'allowance = 0'),
('identity.login_codes', 'login_codes_tries_left_sane', 'tries_left = -1', 'tries_left = 0'),
('identity.login_codes', 'login_codes_code_whole', 'code_expires_at = null', 'code_expires_at = requested_at'),
('identity.login_codes', 'login_codes_use_whole', 'used_at = requested_at', 'used_at = requested_at, session_id = gen_random_uuid()'),
('identity.login_codes', 'login_codes_used_was_sent', 'code_hash = null, code_expires_at = null', 'code_hash = code_hash'),
('identity.sessions', 'sessions_generation_sane', 'generation = -1', 'generation = 0'),
('identity.sessions', 'sessions_times_ordered', $$renewed_at = created_at - interval '1 second'$$, 'renewed_at = created_at'),
('identity.sessions', 'sessions_times_ordered', $$expires_at = renewed_at - interval '1 second'$$, 'expires_at = renewed_at'),
('identity.sessions', 'sessions_user_agent_short', $$user_agent = repeat('x', 201)$$, $$user_agent = repeat('x', 200)$$),
('identity.sessions', 'sessions_address_short', $$address = repeat('x', 65)$$, $$address = repeat('x', 64)$$),
('identity.mails', 'mails_kind_form', $$kind = 'Test'$$, $$kind = 'a_test'$$),
('identity.mails', 'mails_recipient_known', $$kind = 'circles'$$, $$recipient = null, kind = 'circles'$$),
('identity.mails', 'mails_recipient_known', $$kind = 'circle'$$, $$recipient = 'ann@b', kind = 'circle'$$),
('identity.mails', 'mails_recipient_form', $$recipient = E'a@b\r\nBcc: c@d'$$, $$recipient = 'a@b'$$),
('identity.mails', 'mails_facts_object', $$facts = '[]'$$, $$facts = '{}'$$),
('identity.mails', 'mails_attempts_sane', 'attempts = -1', 'attempts = 0'),
('identity.mails', 'mails_times_ordered', $$expires_at = created_at - interval '1 second'$$, 'expires_at = created_at'),
('identity.mail_server', 'mail_server_one_row', 'only_row = false', 'only_row = true'),
('identity.mail_server', 'mail_server_failures_sane', 'failures = -1', 'failures = 0'),
('identity.mail_server', 'mail_server_error_short', $$error = repeat('x', 201)$$, $$error = repeat('x', 200)$$);

-- Which constraint keeps a change out; null: none.
create function pg_temp.kept_out(p_relation regclass, p_set text)
returns text
language plpgsql
as $$
declare
  v_name text;
begin
  execute format('update %s set %s', p_relation, p_set);
  return null;
exception when check_violation then
  get stacked diagnostics v_name = constraint_name;
  return v_name;
end;
$$;

select is(
  array[pg_temp.kept_out(relation, bad), pg_temp.kept_out(relation, good)],
  array[constraint_name, null],
  format('%s keeps out %s', constraint_name, left(bad, 60))
)
from cases order by number;

-- A zone that only looks like one is an error of its own: it can't even be compared.
select throws_ok($$ update app.campuses set time_zone = 'Mars/Olympus' $$, '22023', null, 'campuses_time_zone_known keeps out a zone that the server does not know');

select is_empty($$
  select c.conrelid::regclass, c.conname from pg_constraint as c inner join pg_class as t on t.oid = c.conrelid
  where c.contype = 'c' and not t.relispartition and c.conname <> 'campuses_time_zone_known'
    and c.connamespace::regnamespace::text in ('api', 'app', 'audit', 'events', 'identity', 'ops')
    and not exists (select from cases where cases.constraint_name = c.conname and cases.relation = c.conrelid)
$$, 'every check of the schema is tried here');

select * from finish();
rollback;
