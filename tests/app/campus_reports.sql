-- What operators read: their campus's reports, the newest first, without an address.

begin;
select plan(15);

select isnt_definer('app', 'campus_reports', array['text', 'timestamp with time zone', 'integer', 'uuid'], 'called from definers only');
select volatility_is('app', 'campus_reports', array['text', 'timestamp with time zone', 'integer', 'uuid'], 'stable', 'it only reads');
select tests.may_call('app.campus_reports(text, timestamptz, integer, uuid)', '{}');

select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_member(name, 'mit') from unnest('{mia,max}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.create_slot('six', '18:00', 'mit');
select tests.in_circle(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.in_circle(name, 'six') from unnest('{mia,max}'::text[]) as names (name);
select is(app.campus_reports('stanford', null, 100), '{"reports": []}', 'nobody has told anything');
insert into app.reports
select people.campus_id, tests.slot(slot), people.user_id, tests.member(about), reason, comment, '2030-06-12 20:00+00'::timestamptz + at * interval '1 second'
from (values ('two', 'ann', 'ben', 'fake', 'He is not Ben', 1), ('two', 'cas', 'ben', 'other', null, 2), ('two', 'ben', 'ann', 'no_show', null, 3), ('six', 'mia', 'max', 'fake', null, 4)) as told (slot, teller, about, reason, comment, at)
inner join tests.people on people.name = told.teller;
update app.user_campuses set suspended_until = 'infinity' where user_id = tests.member('ben');
create function tests.reports(p_before timestamptz default null, p_limit integer default 100, p_campus_id text default 'stanford') returns setof jsonb
language sql as $$ select jsonb_array_elements(app.campus_reports(p_campus_id, p_before, p_limit) -> 'reports') $$;

select results_eq($$ select r #>> '{by,displayName}', r #>> '{about,displayName}' from tests.reports() as r $$, $$ values ('Ben', 'Ann'), ('Cas', 'Ben'), ('Ann', 'Ben') $$, 'the newest first, and nothing of another campus');
select is(r - 'createdAt' - 'timeSlot', jsonb_build_object('reason', 'fake', 'comment', 'He is not Ben', 'by', jsonb_build_object('userId', tests.member('ann'), 'displayName', 'Ann'),
  'about', jsonb_build_object('userId', tests.member('ben'), 'displayName', 'Ben', 'suspendedUntil', 'infinity')), 'who told what about whom, and what was done about it') from tests.reports('2030-06-12 20:00:02+00') as r;
select results_eq($$ select r #>> '{by,displayName}' from tests.reports('2030-06-12 20:00:03+00', 1) as r $$, $$ values ('Cas') $$, 'a page: before that instant, so many');
select results_eq($$ select r #>> '{about,displayName}' from jsonb_array_elements(app.campus_reports('stanford', null, 2, tests.member('ann')) -> 'reports') as r $$, $$ values ('Ben'), ('Ben') $$, 'who reads does not learn who told what about them');
select is_empty('select from tests.reports() as r where r::text like ''%@%''', 'no address');
select is((select count(*) from tests.reports(p_campus_id => 'mit')), 1::bigint, 'the other campus has its own');
select is_empty('select from tests.reports(p_campus_id => ''nowhere'')', 'one that is none has none');
select tests.refused(format('select tests.reports(null, %L::integer)', n), 'PT422', 'limit_invalid', coalesce(n::text, 'nothing') || ' is no number of rows') from (values (0), (10001), (null)) as limits (n);
select tests.refused('select tests.reports(p_campus_id => null)', 'PT403', 'no_campus', 'no campus');

select * from finish();
rollback;
