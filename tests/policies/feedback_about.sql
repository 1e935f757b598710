-- What one said about circle-mates, and never what was said about oneself.

begin;
select plan(16);

select policies_are('app', 'feedback_about', array['own_words']);
select policy_roles_are('app', 'feedback_about', 'own_words', array['authenticated']);
select policy_cmd_is('app', 'feedback_about', 'own_words'::name, 'select');

-- Given Ann, Ben and Cas in a circle: Ann and Ben have spoken about each other, Ann about Cas.
select tests.create_member(name) from unnest('{ann,ben,cas,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.gave_feedback(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
insert into app.feedback_about select 'stanford', tests.slot('two'), tests.member(name), tests.member(about), again, no_show
from (values ('ann', 'ben', true, false), ('ann', 'cas', null, true), ('ben', 'ann', false, false)) as said (name, about, again, no_show);

select tests.act_as('ann');
select results_eq('select about_id, meet_again, no_show from app.feedback_about order by no_show', $$ values (tests.member('ben'), true, false), (tests.member('cas'), null, true) $$, 'Ann sees what she said');
select is_empty($$ select from app.feedback_about where about_id = tests.member('ann') $$, 'not what Ben said about her');
select throws_ok('update app.feedback_about set meet_again = false', '42501', null, 'and can''t unsay it');
select tests.act_as('cas');
select is_empty('select from app.feedback_about', 'Cas does not see that she was missed');
select tests.act_as('fay');
select is_empty('select from app.feedback_about', 'nor does anyone of the campus');
select tests.act_as('mia');
select is_empty('select from app.feedback_about', 'nor of another');
select tests.act_as_role('anon');
select throws_ok('select from app.feedback_about', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from app.feedback_about), 3::bigint, 'a trusted server sees all');

-- What can't be stored.
select tests.act_as_nobody();
select throws_ok(format('insert into app.feedback_about values (%L, tests.slot(%L), tests.member(%L), tests.member(%L), %L, %L)', 'stanford', 'two', name, about, again, no_show), code, null, says)
from (values
  ('ben', 'ben', true, false, '23514', 'nothing about oneself'), ('ben', 'cas', true, true, '23514', 'no wish to meet a no-show again'), ('cas', 'ben', true, false, '23503', 'nothing without feedback'),
  ('ben', 'fay', true, false, '23503', 'nothing about who was in no circle'), ('ben', 'ann', true, false, '23505', 'nothing twice')
) as bad (name, about, again, no_show, code, says);

select * from finish();
rollback;
