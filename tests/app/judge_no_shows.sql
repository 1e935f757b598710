-- Staying away: two circle-mates make it a fact, three facts within 30 days make a break of a week.

begin;
select plan(28);

select isnt_definer('app', 'judge_no_shows', array['text', 'timestamp with time zone', 'uuid[]', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.judge_no_shows(text, timestamptz, uuid[], timestamptz)', '{}');

-- Given Zoe, who sat in many circles with Ann, Ben and Cas.
select tests.create_member(name) from unnest('{ann,ben,cas,zoe,yan}'::text[]) as names (name);
create function tests.meeting(p_name text, p_at timestamptz) returns void language plpgsql as $$
begin
  perform tests.create_campus();
  insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version) values ('stanford', p_at, p_at - interval '1 hour', p_at + interval '20 minutes', app.next_version());
  insert into tests.slots values (p_name, 'stanford', p_at);
  perform tests.in_circle(name, p_name) from unnest('{ann,ben,cas,zoe,yan}'::text[]) as names (name);
end $$;
select tests.meeting('d' || day, '2030-06-12 21:00+00'::timestamptz + day * interval '24 hours') from unnest('{-30,-29,-20,-10,-1,0}'::integer[]) as days (day);
select tests.clock_stands('2030-06-12 22:00+00');
create function tests.says(p_witness text, p_slot text, variadic p_away text[]) returns void language sql as $$
  select app.submit_feedback('stanford', tests.member(p_witness), tests.slot(p_slot), 3, null,
    (select jsonb_agg(jsonb_build_object('userId', tests.member(name), 'noShow', true)) from unnest(p_away) as away (name))) $$;
create function tests.both(p_slot text) returns void language sql as $$ select tests.says('ann', p_slot, 'zoe'); select tests.says('ben', p_slot, 'zoe') $$;
create function tests.until(p_name text) returns timestamptz language sql as $$ select suspended_until from app.user_campuses where user_id = tests.member(p_name) $$;
create function tests.away(p_name text) returns text language sql as $$
  select string_agg(s.name, ' ' order by s.time_slot) from app.circle_members as m inner join tests.slots as s using (time_slot) where m.user_id = tests.member(p_name) and m.attended = false $$;

-- One word against another.
select tests.says('ann', 'd0', 'zoe');
select is(tests.away('zoe'), null, 'one mate says that Zoe stayed away: nothing follows');
select tests.says('zoe', 'd0', 'ann');
select is(tests.away('ann'), null, 'nor from her word against Ann''s');
select is_empty($$ select from tests.trail() where action <> 'feedback.given' $$, 'no word of it in the trail');
-- A second one.
select tests.says('ben', 'd0', 'zoe');
select is(tests.away('zoe'), 'd0', 'two make it a fact');
select is(tests.until('zoe'), null, 'of which one is not yet a habit');
select results_eq($$ select action, member, slot, details from tests.trail() where action <> 'feedback.given' $$, $$ values ('user.stayed_away', 'zoe', 'd0', null::jsonb) $$, 'it is in the trail, and not who said so');
select tests.says('cas', 'd0', 'zoe');
select is_empty($$ select from tests.trail() where action <> 'feedback.given' $$, 'a third witness adds nothing');
select is_empty($$ select from tests.told() where channel = 'user:zoe' and event <> 'button' $$, 'and Zoe is told nothing yet');

-- Three within 30 days.
select tests.both('d-1');
select is(tests.until('zoe'), null, 'two facts are no habit');
savepoint two_facts;
select tests.both('d-10');
select is(tests.away('zoe'), 'd-10 d-1 d0', 'the third');
select cmp_ok(abs(extract(epoch from tests.until('zoe') - clock_timestamp() - interval '168 hours')), '<', 5.0, 'suspends for a week, in real time');
select results_eq($$ select channel, event, (payload ->> 'suspendedUntil')::timestamptz = tests.until('zoe'), payload ? 'blocked' from tests.told() where event = 'profile' $$,
  $$ values ('user:zoe', 'profile', true, false) $$, 'she is told until when');
select results_eq($$ select action, member, details ->> 'reason', (details ->> 'until')::timestamptz = tests.until('zoe') from tests.trail() where action like 'user.s%' order by action desc limit 1 $$,
  $$ values ('user.suspended_by_rule', 'zoe', 'no_shows', true) $$, 'the trail says by which rule');
select tests.create_slot('late', '23:30');
select tests.refused($$ select app.join_waitlist('stanford', tests.member('zoe'), tests.slot('late')) $$, 'PT403', 'suspended', 'she joins nothing');
create table tests.before as select tests.until('zoe') as until;
select tests.both('d-20');
select cmp_ok(tests.until('zoe'), '>', (select until from tests.before), 'the fourth begins the week anew');

-- The edge of the 30 days.
rollback to two_facts;
select tests.clock_stands(tests.slot('d-30') + interval '720 hours');
select tests.both('d-30');
select is(tests.away('zoe'), 'd-30 d-1 d0', 'a third fact, exactly 30 days ago');
select is(tests.until('zoe'), null, 'is forgotten');
rollback to two_facts;
select tests.clock_stands(tests.slot('d-30') + interval '720 hours' - interval '1 us');
select tests.both('d-30');
select isnt(tests.until('zoe'), null, 'a microsecond sooner it is not');
rollback to two_facts;
select tests.clock_stands(tests.slot('d0') + interval '720 hours' - interval '1 us');
select tests.both('d-30');
select is(tests.until('zoe'), null, 'what is told a month late, of long ago, makes no habit of it');

-- Not those who gave up the place, and an operator's word stands.
rollback to two_facts;
update app.circle_members set cancelled_at = time_slot - interval '1 hour' where user_id = tests.member('zoe') and time_slot = tests.slot('d-10');
select tests.both('d-10');
select is(tests.away('zoe'), 'd-1 d0', 'who gave up the place did not stay away');
rollback to two_facts;
update app.user_campuses set suspended_until = 'infinity' where user_id = tests.member('zoe');
select tests.both('d-10');
select is(tests.until('zoe'), 'infinity', 'a rule shortens nothing');
select is_empty($$ select from tests.trail() where action = 'user.suspended_by_rule' $$, 'nor says that it did');

-- Several at once, and nobody.
rollback to two_facts;
select tests.says('ann', 'd-10', 'zoe', 'yan'), tests.says('ben', 'd-10', 'yan', 'zoe');
select ok(tests.away('yan') = 'd-10' and tests.away('zoe') = 'd-10 d-1 d0', 'each is judged by their own');
select ok(tests.until('yan') is null and tests.until('zoe') is not null, 'Zoe''s habit is none of Yan''s');
select lives_ok($$ select app.judge_no_shows('stanford', tests.slot('d0'), '{}', app.clock()) $$, 'nobody is judged where nobody stayed away');
select lives_ok($$ select app.judge_no_shows('stanford', tests.slot('d0'), null, app.clock()) $$, 'or nothing was said');

select * from finish();
rollback;
