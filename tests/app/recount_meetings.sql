-- Who has met whom is counted anew for the pairs of one slot.

begin;
select plan(7);

select isnt_definer('app', 'recount_meetings', array['text', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.recount_meetings(text, timestamptz)', '{}');

-- Given Ann, Ben and Cas together at two, Ann and Ben at five, Ann and Dan at five; and wrong counts of all of them.
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.in_circle(name, 'five') from unnest('{ann,ben,dan}'::text[]) as names (name);
insert into app.meetings
select 'stanford', least(a.user_id, b.user_id), greatest(a.user_id, b.user_id), 9, tests.slot('five') + interval '1 day' from tests.people as a inner join tests.people as b on b.name > a.name;
create function tests.pairs() returns table (pair text, met integer, last text) language sql as $$
  select least(a.name, b.name) || ' ' || greatest(a.name, b.name), meetings_count, coalesce((select name from tests.slots where time_slot = last_met_at), 'wrong')
  from app.meetings inner join tests.people as a on a.user_id = user_a inner join tests.people as b on b.user_id = user_b order by 1
$$;

select app.recount_meetings('stanford', tests.slot('two'));
select results_eq('select * from tests.pairs()', $$ values ('ann ben', 2, 'five'), ('ann cas', 1, 'two'), ('ann dan', 9, 'wrong'), ('ben cas', 1, 'two'), ('ben dan', 9, 'wrong'), ('cas dan', 9, 'wrong') $$,
  'the pairs of two are right; those who did not meet in it are left as they are');
update app.circle_members set cancelled_at = time_slot where time_slot = tests.slot('two') and user_id = tests.member('cas');
select app.recount_meetings('stanford', tests.slot('two'));
select results_eq('select * from tests.pairs() where met < 9', $$ values ('ann ben', 2, 'five') $$, 'once Cas has given up the place, Cas has met nobody');
select tests.cancelled('five');
select app.recount_meetings('stanford', tests.slot('five'));
select results_eq('select * from tests.pairs()', $$ values ('ann ben', 1, 'two'), ('cas dan', 9, 'wrong') $$, 'once five is called off, Ann and Ben have met once, and nobody Dan');
select app.recount_meetings('stanford', tests.slot('five'));
select results_eq('select * from tests.pairs()', $$ values ('ann ben', 1, 'two'), ('cas dan', 9, 'wrong') $$, 'counting twice gives the same');
select app.recount_meetings('mit', tests.slot('two'));
select is((select count(*) from app.meetings), 2::bigint, 'another campus''s slot at the same time is another slot');

select * from finish();
rollback;
