-- What was said of each other, as a matching knows it: before it, what is; after it, what was.

begin;
select plan(16);

select volatility_is('app', 'known_wishes', array['text', 'uuid[]', 'timestamp with time zone'], 'stable', 'it only reads');
select tests.may_call('app.known_wishes(text, uuid[], timestamptz)', '{}');

-- Given a circle of three at nine, and Zoe in another one.
select tests.create_member(name) from unnest('{ann,ben,cas,zoe}'::text[]) as names (name);
select tests.create_slot(slot, at) from (values ('nine', time '09:00'), ('two', '14:00'), ('three', '15:00')) as slots (slot, at);
select tests.in_circle(name, 'nine', case name when 'zoe' then 2 else 1 end) from unnest('{ann,ben,cas,zoe}'::text[]) as names (name);
select tests.clock_stands(tests.slot('nine') + interval '1 hour');
create function tests.known(p_slot text default 'two', p_people text default 'ann ben cas zoe', p_campus text default 'stanford') returns text language sql as $$
  select string_agg(concat_ws(' ', least(ones.name, others.name), greatest(ones.name, others.name), case when apart then 'apart' end, case when again then 'again' end), ', ' order by least(ones.name, others.name), greatest(ones.name, others.name))
  from (select array(select user_id from tests.people where name = any(string_to_array(p_people, ' '))) as ids) as listed
  cross join lateral app.known_wishes(p_campus, listed.ids, tests.slot(p_slot)) as known
  inner join tests.people as ones on ones.user_id = listed.ids[known.a]
  inner join tests.people as others on others.user_id = listed.ids[known.b] $$;
create function tests.says(p_name text, p_about text, p_again boolean) returns void language sql as $$
  insert into app.feedback_about (campus_id, time_slot, user_id, about_id, meet_again, no_show) values ('stanford', tests.slot('nine'), tests.member(p_name), tests.member(p_about), p_again, false)
  on conflict on constraint feedback_about_pkey do update set meet_again = excluded.meet_again $$;

select is(tests.known(), null, 'nobody has said a thing');
select tests.gave_feedback(name, 'nine', 3) from unnest('{ann,ben,cas}'::text[]) as names (name);
select is(tests.known(), null, 'three is not low');
select tests.says('ann', 'ben', true);
select is(tests.known(), 'ann ben', 'what one wants is not yet what both want');
select tests.says('ben', 'ann', true);
select is(tests.known(), 'ann ben again', 'both want to meet again');
select tests.says('cas', 'ann', false);
select is(tests.known(), 'ann ben again, ann cas apart', 'one who does not is enough');
select is(tests.known('two', 'ann ben'), 'ann ben again', 'of these people only');
select is(tests.known('nine'), null, 'what is said of a slot is not known at that slot');
select is(tests.known('two', 'ann ben cas', 'mit'), null, 'nothing of another campus');
update app.feedback set rating = 2 where user_id = tests.member('ben');
select is(tests.known(), 'ann ben apart again, ann cas apart, ben cas apart', 'two is low, and about everybody who was there; not Zoe');
select is(tests.known('two', 'ann zoe'), null, 'what others said of others is about nobody here');
update app.circle_members set cancelled_at = tests.slot('nine') where user_id = tests.member('cas');
select is(tests.known(), 'ann ben apart again, ann cas apart', 'not about who had given up the place');

-- After the matching: by when it was said.
update app.circle_members set cancelled_at = null;
select tests.matched('two');
update app.feedback set created_at = tests.slot('two') - interval '1 hour';
select is(tests.known(), 'ann ben apart again, ann cas apart, ben cas apart', 'said at that microsecond: known');
update app.feedback set created_at = created_at + interval '1 microsecond' where user_id = tests.member('ben');
select is(tests.known(), 'ann ben, ann cas apart', 'a microsecond later: neither the wish nor the rating');
update app.feedback set created_at = created_at + interval '1 microsecond' where user_id = tests.member('cas');
select is(tests.known(), 'ann ben', 'whoever said it');

select * from finish();
rollback;
