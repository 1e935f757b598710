-- Who asks, for policies. Who has deleted the account reads nothing through the views either, whatever token is left. Others do.

begin;
select plan(20);

select is_definer('app', 'my_id', array[]::text[], 'members may not read the directory');
select tests.may_call('app.my_id()', '{authenticated}');
select set_eq(
  $$ select c.relname from pg_class as c where c.relnamespace = 'app'::regnamespace and has_any_column_privilege('authenticated', c.oid, 'select') $$,
  $$ select c.relname from pg_policy as p inner join pg_class as c on c.oid = p.polrelid where p.polcmd = 'r'
     group by c.relname
     having bool_and(pg_get_expr(p.polqual, p.polrelid) ~ '^\(user_id = \( SELECT app.my_id\(\) AS my_id\)\)$')
       or bool_or(not p.polpermissive and pg_get_expr(p.polqual, p.polrelid) = '(( SELECT app.my_id() AS my_id) IS NOT NULL)') $$,
  'every table that a member reads asks it: for own rows, or beside what else is asked');

-- Given a circle of Ann and Ben, with feedback, lists and blocks of each, and Ann's account deleted.
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
select tests.gave_feedback(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
insert into app.feedback_about (campus_id, time_slot, user_id, about_id) values
  ('stanford', tests.slot('two'), tests.member('ann'), tests.member('ben')), ('stanford', tests.slot('two'), tests.member('ben'), tests.member('ann'));
select tests.blocked(name, 'cas') from unnest('{ann,ben}'::text[]) as names (name);
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ann');
create function tests.seen(p_relation regclass) returns bigint language plpgsql as $$
declare v_count bigint;
begin execute format('select count(*) from (select %s from %s) as rows',
  (select string_agg(quote_ident(attname), ', ') from pg_attribute where attrelid = p_relation and attnum > 0 and has_column_privilege(current_user, p_relation, attnum, 'select')), p_relation) into v_count;
return v_count; end $$;

select tests.act_as('ann');
select is(tests.seen(relation::regclass), 0::bigint, 'Ann sees nothing of ' || relation)
from unnest('{api.waitlist_entries,api.circles,api.circle_members,api.feedback,api.profiles,app.feedback_about,app.blocks}'::text[]) as relations (relation);
select is(app.my_id(), null, 'who deleted the account is nobody');
select tests.act_as('ben');
select is(app.my_id(), tests.member('ben'), 'Ben is Ben');
select cmp_ok(tests.seen(relation::regclass), '>', 0::bigint, 'Ben sees his of ' || relation)
from unnest('{api.waitlist_entries,api.circles,api.circle_members,api.feedback,api.profiles,app.feedback_about,app.blocks}'::text[]) as relations (relation);
select tests.act_as(null);
select is(app.my_id(), null, 'nobody has no id');

select * from finish();
rollback;
