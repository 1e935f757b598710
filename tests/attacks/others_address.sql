-- Others' e-mail addresses: not by filter, order, count, whole row, statistics, or a function that peeps.

begin;
select plan(14);

select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
analyze app.users;

-- As careless as a function can be: cheap, not leakproof, and telling all that it is shown.
create table tests.peeped (word text);
grant all on tests.peeped to public;
create function tests.peep(p_word text) returns boolean language plpgsql cost 0.0000001
as $$ begin insert into tests.peeped values (p_word); return true; end $$;

select tests.act_as('ann');
select throws_ok(statement, '42501', null, 'Ann, whose circle-mate is Ben: ' || statement)
from unnest(array[
  'select email from app.users',
  'select from app.users where email = ''ben@stanford.edu''',
  'select display_name from app.users order by email',
  'select count(email) from app.users',
  'select count(*) from app.users group by email',
  'select display_name from app.users where (campus_id, email) in (select ''stanford'', ''ben@stanford.edu'')',
  'select users from app.users',
  'select to_jsonb(users) from app.users',
  'select users.* from app.users',
  'select from app.users inner join api.profiles using (user_id) where users.email like ''b%''',
  'update app.users set email = email'
]) as statements (statement);
select is_empty($$ select from pg_catalog.pg_stats where schemaname = 'app' and tablename = 'users' and attname in ('email', 'tier') $$,
  'nor does she see statistics of them');

select is((select count(*) from api.profiles where tests.peep(display_name)), 2::bigint, 'a function in a filter runs ...');
select tests.act_as_nobody();
select results_eq('select distinct word from tests.peeped order by 1', array['Ann', 'Ben'], '... after the policy, on the rows that it lets through');

select * from finish();
rollback;
