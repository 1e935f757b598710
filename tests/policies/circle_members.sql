-- Own places and those of circle-mates, and nobody else's.

begin;
select plan(23);

select policies_are('app', 'circle_members', array['places_in_my_circles', 'open_account']);
select policy_roles_are('app', 'circle_members', 'places_in_my_circles', array['authenticated']);
select policy_cmd_is('app', 'circle_members', 'places_in_my_circles'::name, 'select');
select column_privs_are('app', 'circle_members', 'attended', 'authenticated', array[]::text[], 'who came is for the campus to know');
select tests.may_call('app.my_places()', '{authenticated}');
select tests.may_call('app.my_place_rows()', '{authenticated}');
select is_definer('app', 'my_places', array[]::text[], 'a policy that reads its own table would ask itself for ever');
select is_definer('app', 'my_place_rows', array[]::text[], 'so would this one');

-- Given Ann with Ben at two, Cas in the other circle, Ann with Dan at five, where Ben is in the other; Mia elsewhere.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.create_slot('mits', '14:00', 'mit');
select tests.in_circle(name, slot, circle) from (values ('ann', 'two', 1), ('ben', 'two', 1), ('cas', 'two', 2), ('ann', 'five', 1), ('dan', 'five', 1),
  ('ben', 'five', 2), ('mia', 'mits', 1)) as places (name, slot, circle);
create function tests.seen() returns setof text language sql as $$
  select slots.name || ' ' || people.name from app.circle_members as members
  inner join tests.people using (campus_id, user_id) inner join tests.slots using (campus_id, time_slot) order by slots.name desc, people.name
$$;
grant select on tests.people, tests.slots to public;

select tests.act_as('ann');
select results_eq('select tests.seen()', array['two ann', 'two ben', 'five ann', 'five dan'], 'Ann sees herself and her mates, each only in the circle they share');
select throws_ok('update app.circle_members set circle_no = 2', '42501', null, 'and can''t move');
select throws_ok('delete from app.circle_members', '42501', null, 'nor go');
select throws_ok('select attended from app.circle_members', '42501', null, 'nor see who came');
select tests.act_as('ben');
select results_eq('select tests.seen()', array['two ann', 'two ben', 'five ben'], 'Ben sees Ann at two only');
select tests.act_as('cas');
select results_eq('select tests.seen()', array['two cas'], 'Cas, of another circle of the slot, sees neither');
select tests.act_as('fay');
select is_empty('select tests.seen()', 'Fay, of the same campus and in no circle, sees none');
select tests.act_as('mia');
select results_eq('select tests.seen()', array['mits mia'], 'nor does Mia, of another campus, whose circle has the same number at the same time');

-- What is found is not yet shown: the policy decides by itself.
select tests.act_as_nobody();
savepoint whole;
create or replace function app.my_place_rows() returns tid[] language sql stable security definer as 'select array_agg(ctid) from app.circle_members';
select tests.act_as('ann');
select results_eq('select tests.seen()', array['two ann', 'two ben', 'five ann', 'five dan'], 'were all rows found, Ann would see the same');
select tests.act_as('fay');
select is_empty('select tests.seen()', 'and Fay none');
rollback to savepoint whole;

-- Ben gives up his place at two.
select tests.act_as_nobody();
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('ben') and time_slot = tests.slot('two');
select tests.act_as('ben');
select results_eq('select tests.seen()', array['two ben', 'five ben'], 'who gave up the place sees the mates no more, and still the own place');
select tests.act_as('ann');
select results_eq('select tests.seen()', array['two ann', 'five ann', 'five dan'], 'nor do they see who did');
select tests.act_as_role('anon');
select throws_ok('select from app.circle_members', '42501', null, 'a stranger may not look');
select tests.act_as(null);
select is_empty('select from app.circle_members', 'a token that names nobody sees none');
select tests.act_as_role('service_role');
select is((select count(attended is null) from app.circle_members), 7::bigint, 'a trusted server sees all');

select * from finish();
rollback;
