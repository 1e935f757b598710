-- Who has met whom, among a few, counted from the books.

begin;
select plan(6);

select tests.may_call('app.recount_pairs(text, uuid[])', '{}');
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_slot(name, at) from (values ('two', time '14:00'), ('five', '17:00'), ('six', '18:00')) as slots (name, at);
select tests.in_circle(name, slot) from (values ('ann', 'two'), ('ben', 'two'), ('dan', 'two'), ('ann', 'five'), ('ben', 'five'), ('ann', 'six'), ('cas', 'six')) as places (name, slot);
update app.circle_members set cancelled_at = now() where user_id = tests.member('dan');
select tests.cancelled('six');
create function tests.pairs() returns setof text language sql as $$
  select ones.name || ' ' || others.name || ' ' || meetings_count || ' ' || slots.name from app.meetings
  inner join tests.people as ones on ones.user_id in (user_a, user_b) inner join tests.people as others on others.user_id in (user_a, user_b) and others.name > ones.name
  left join tests.slots on time_slot = last_met_at order by 1 $$;
create function tests.recounts(p_names text) returns void language sql as $$
  select app.recount_pairs('stanford', array(select tests.member(name) from string_to_table(p_names, ' ') as names (name))) $$;

select tests.recounts('ann ben');
select results_eq('select * from tests.pairs()', $$ values ('ann ben 2 five') $$, 'a pair that was not in the list of pairs comes into it');
insert into app.meetings select 'stanford', least(tests.member('ann'), tests.member(name)), greatest(tests.member('ann'), tests.member(name)), 3, tests.slot('six') from unnest('{cas,dan}'::text[]) as names (name);
select tests.recounts('ann ben dan ann');
select results_eq('select * from tests.pairs()', $$ values ('ann ben 2 five'), ('ann cas 3 six') $$, 'who gave up the place met nobody; who is not named is left alone');
select tests.repeats($$ select tests.recounts('ann ben dan') $$, 'the second time writes nothing');
select tests.recounts('ann ben cas dan');
select results_eq('select * from tests.pairs()', $$ values ('ann ben 2 five') $$, 'nobody met in a slot that was called off');
update app.meetings set last_met_at = tests.slot('two');
select tests.recounts('ben ann');
select results_eq('select * from tests.pairs()', $$ values ('ann ben 2 five') $$, 'when it was is put right, too');

select * from finish();
rollback;
