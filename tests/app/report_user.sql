-- Telling the operators: about those one was in a circle with, once for each meeting, and nobody hears of it.

begin;
select plan(36);

select isnt_definer('app', 'report_user', array['text', 'uuid', 'timestamp with time zone', 'uuid', 'text', 'text'], 'called from definers only');
select tests.may_call('app.report_user(text, uuid, timestamptz, uuid, text, text)', '{}');
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('cas');
create function tests.tells(p_name text, p_about text, p_reason text default 'harassment', p_comment text default null, p_slot text default 'two') returns jsonb
language sql as $$ select app.report_user('stanford', tests.member(p_name), tests.slot(p_slot), tests.member(p_about), p_reason, p_comment) $$;
select tests.clock_stands(tests.slot('two'));

-- Who was not there, is not there, or is oneself: one refusal for all, which tells nothing.
select tests.refused(format('select tests.tells(%L, %L, p_slot => %L)', teller, about, slot), 'PT404', 'not_a_mate', format('%s can''t report %s on %s', teller, coalesce(about, 'nobody'), coalesce(slot, 'nothing')))
from (values ('ann', 'dan', 'two'), ('ann', 'eva', 'two'), ('ann', 'mia', 'two'), ('ann', 'ann', 'two'), ('eva', 'ann', 'two'), ('ann', 'ben', 'five'), ('ann', 'ben', null), ('ann', null, 'two'), ('mia', 'ann', 'two')) as cases (teller, about, slot);
select tests.refused(format('select tests.tells(''ann'', ''ben'', %L, %L)', reason, comment), 'PT422', 'report_invalid', what)
from (values ('rude', null, 'another reason'), (null, null, 'no reason'), ('', null, 'an empty one'), ('fake', repeat('x', 2001), 'a comment of 2001 characters')) as cases (reason, comment, what);
select tests.refused($$ select app.report_user(null, tests.member('ann'), tests.slot('two'), tests.member('ben'), 'fake', null) $$, 'PT403', 'no_campus', 'no campus');
select is_empty('select from app.reports', 'nothing of that was kept');

-- Told.
select is(tests.tells('ann', 'ben', 'fake', '  ' || repeat('x', 2000)), jsonb_build_object('userId', tests.member('ben'), 'timeSlot', tests.slot('two'), 'reported', true), 'in up to 2000 characters');
select results_eq('select user_id, reported_id, reason, length(comment), created_at from app.reports', $$ values (tests.member('ann'), tests.member('ben'), 'fake', 2000, tests.slot('two')) $$, 'kept, trimmed, with the app''s time');
select is_empty('select from tests.told()', 'nobody hears of it, least of all Ben');
select results_eq('select * from tests.trail()', $$ values ('user.reported', 'ann', 'two', jsonb_build_object('reason', 'fake', 'reportedId', tests.member('ben'))) $$, 'it is in Ann''s trail, without her words; not in his');
select tests.repeats($$ select tests.tells('ann', 'ben', 'fake', repeat('x', 2000)) $$, 'the same again is no second report');
select tests.refused($$ select tests.tells('ann', 'ben', 'other', repeat('x', 2000)) $$, 'PT409', 'report_given', 'another reason is refused');
select tests.refused($$ select tests.tells('ann', 'ben', 'fake', 'y') $$, 'PT409', 'report_given', 'so are other words');
select tests.refused($$ select tests.tells('ann', 'ben', 'fake') $$, 'PT409', 'report_given', 'and fewer');
select is(tests.tells('ann', 'cas', 'other', '  ') ->> 'reported', 'true', 'who gave up the place can be reported');
select tests.repeats($$ select tests.tells('ann', 'cas', 'other') $$, 'blanks are no comment');
select is(tests.tells('cas', 'ann', 'no_show') ->> 'reported', 'true', 'and report');
select is(tests.tells('ben', 'ann', 'harassment') ->> 'reported', 'true', 'each word is kept apart');
select tests.refused($$ select tests.tells('cas', 'ann', 'harassment') $$, 'PT409', 'report_given', 'what Ben said is not what Cas said');
select is((select count(*) from app.reports), 4::bigint, 'four in all');
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ben');
select tests.refused($$ select tests.tells('ben', 'ann', 'harassment') $$, 'PT401', 'account_deleted', 'who is gone tells nothing more');

-- Who has given up the place can't find out by reporting who was brought together there afterwards.
select tests.create_member(name) from unnest('{mae,meg,mel,mim}'::text[]) as names (name);
select tests.create_slot('six', '18:00');
select tests.in_circle(name, 'six', circle_no) from (values ('mae', 1), ('meg', 1), ('mel', 2), ('mim', 2)) as places (name, circle_no);
update app.circle_members set cancelled_at = tests.slot('six') - interval '30 min' where user_id = tests.member('mae') and time_slot = tests.slot('six');
update app.circle_members set circle_no = 1, moved_from = 2, moved_at = tests.slot('six') - interval '30 min' where user_id = tests.member('mel') and time_slot = tests.slot('six');
update app.circle_members set circle_no = 1, moved_from = 2, moved_at = tests.slot('six') - interval '40 min' where user_id = tests.member('mim') and time_slot = tests.slot('six');
create function tests.says(p_who text, p_about text) returns jsonb language sql as $$ select app.report_user('stanford', tests.member(p_who), tests.slot('six'), tests.member(p_about), 'other', null) $$;
select tests.refused('select tests.says(''mae'', ''mel'')', 'PT404', 'not_a_mate', 'who came when she went, or later, is no mate of hers');
select is(tests.says('mae', 'meg') ->> 'reported', 'true', 'who was there is');
select is(tests.says('mae', 'mim') ->> 'reported', 'true', 'and who had come before');
select is(tests.says('mel', 'mae') ->> 'reported', 'true', 'who comes can tell about who went');

select * from finish();
rollback;
