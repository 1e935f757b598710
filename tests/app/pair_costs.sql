-- What it would cost that two who have met meet again.

begin;
select plan(14);

select volatility_is('app', 'pair_costs', array['app.campuses', 'uuid[]', 'integer[]', 'timestamp with time zone', 'integer[]'], 'stable', 'it only reads');
select tests.may_call('app.pair_costs(app.campuses, uuid[], integer[], timestamptz, integer[])', '{}');

-- Given four people; in a slot of last week Ann sat with Ben, and Cas with Dan. The campus wants a gap of five days.
select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
update app.campuses set min_gap_days = 5;
select tests.create_slot('past', '08:00');
update app.time_slots set time_slot = '2030-06-05 13:00-07', deadline_at = '2030-06-05 12:00-07', ends_at = '2030-06-05 13:20-07' where time_slot = tests.slot('past');
update tests.slots set time_slot = '2030-06-05 13:00-07' where name = 'past';
select tests.in_circle(name, 'past', circle_no) from (values ('ann', 1), ('ben', 1), ('cas', 2), ('dan', 2)) as seats (name, circle_no);
create function tests.met(p_name text, p_other text, p_last timestamptz) returns void language sql as $$
  insert into app.meetings values ('stanford', least(tests.member(p_name), tests.member(p_other)), greatest(tests.member(p_name), tests.member(p_other)), 1, p_last)
  on conflict on constraint meetings_pkey do update set last_met_at = excluded.last_met_at
$$;
-- 'a b repeat fair said' of each pair; Ann is 1, Ben 2, Cas 3, Dan 4.
create function tests.costs(p_repeats integer[] default '{0,0,0,0}', p_of integer[] default null) returns text language sql as $$
  select string_agg(concat_ws(' ', least(a, b), greatest(a, b), repeat, fair, said), ', ' order by least(a, b), greatest(a, b))
  from app.campuses cross join lateral app.pair_costs(
    campuses, array(select user_id from tests.people order by name), p_repeats, '2030-06-12 13:00-07', p_of) $$;

select is(tests.costs(), null, 'who has not met costs nothing');
select tests.met('ann', 'ben', '2030-05-13 13:00-07');
select is(tests.costs(), '1 2 1100 0 0', 'thirty days ago: a repeat, and half of what a recent one costs more');
select tests.met('ann', 'ben', '2030-06-07 13:00-07');
select is(tests.costs(), '1 2 1171 0 0', 'at the gap it is over');
select tests.met('ann', 'ben', '2030-06-07 13:00:00.000001-07');
select is(tests.costs(), '1 2 100171 0 0', 'a microsecond later it is within');
select tests.met('ann', 'ben', '2030-05-13 13:00-07');
select tests.met('cas', 'dan', '2030-05-13 13:00-07');
select is(tests.costs('{1,2,0,4}'), '1 2 1100 75 0, 3 4 1100 100 0', 'for each repeat that either had of late');
select is(tests.costs(p_of => '{4}'), '3 4 1100 0 0', 'of some people only');
select tests.gave_feedback('ann', 'past', 5), tests.gave_feedback('ben', 'past', 4), tests.gave_feedback('cas', 'past', 2);
select is(tests.costs(), '1 2 1100 0 0, 3 4 1100 0 150', 'a low rating keeps apart');
insert into app.feedback_about values ('stanford', tests.slot('past'), tests.member('ann'), tests.member('ben'), true, false);
select is(tests.costs(p_of => '{1}'), '1 2 1100 0 0', 'what one wants is not yet what both want');
insert into app.feedback_about values ('stanford', tests.slot('past'), tests.member('ben'), tests.member('ann'), true, false);
select is(tests.costs('{4,4,0,0}', '{1}'), '1 2 100 0 0', 'both want to: that is all it costs');
select tests.met('ann', 'ben', '2030-06-08 13:00-07');
select is(tests.costs('{4,4,0,0}', '{1}'), '1 2 100176 200 0', 'but not within the gap');
select tests.met('ann', 'ben', '2030-05-13 13:00-07');
update app.feedback_about set meet_again = false where user_id = tests.member('ben');
select is(tests.costs(p_of => '{1}'), '1 2 1100 0 150', 'one who does not want to is enough');
select is((select count(*)::integer from app.campuses cross join lateral app.pair_costs(campuses, '{}', '{}', now())), 0, 'nobody has met nobody');

select * from finish();
rollback;
