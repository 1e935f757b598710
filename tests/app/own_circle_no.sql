-- The circle that a member is in; who is in none hears why.

begin;
select plan(8);

select isnt_definer('app', 'own_circle_no', array['text', 'uuid', 'app.time_slots', 'timestamp with time zone'], 'called from definers only');
select tests.may_call('app.own_circle_no(text, uuid, app.time_slots, timestamptz)', '{}');

-- Given circles of Ann and of Ben; Cas gave the place up, Dan had left before, Eva was left out, Fay never joined.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva,fay}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.in_circle('ann', 'two');
select tests.in_circle('ben', 'two', 2);
select tests.in_circle('cas', 'two', 2);
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('cas');
select tests.joined('dan', 'two', true);
select tests.joined('eva', 'two');
create function tests.circle_of(p_name text, p_slot text) returns integer language sql as $$
  select app.own_circle_no('stanford', tests.member(p_name), slots, tests.slot('two'))
  from app.time_slots as slots where slots.campus_id = 'stanford' and slots.time_slot = tests.slot(p_slot)
$$;

select is(array[tests.circle_of('ann', 'two'), tests.circle_of('ben', 'two')], '{1,2}', 'each their own');
select tests.refused($$ select tests.circle_of('cas', 'two') $$, 'PT404', 'no_circle', 'who gave the place up is in none');
select tests.refused($$ select tests.circle_of('dan', 'two') $$, 'PT404', 'no_circle', 'nor is who had left the list');
select tests.refused($$ select tests.circle_of('eva', 'two') $$, 'PT404', 'no_circle_formed', 'who stayed on it hears that it was not their doing');
select tests.refused($$ select tests.circle_of('fay', 'two') $$, 'PT404', 'no_circle', 'who never joined is in none');
select tests.refused($$ select tests.circle_of('ann', 'five') $$, 'PT409', 'not_matched_yet', 'before the matching nobody is');

select * from finish();
rollback;
