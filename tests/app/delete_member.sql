-- Deleting an account: what is personal goes, what happened stays, and what others said and walled off.

begin;
select plan(32);

select isnt_definer('app', 'delete_member', array['text', 'uuid'], 'called from definers only');
select tests.may_call('app.delete_member(text, uuid)', '{}');

-- Given Ann, an operator with a past: a circle with Ben and Cas, feedback and reports all around, walls, changes, sessions.
select tests.create_member('ann', p_tier => 'operator');
select tests.create_member(name) from unnest('{ben,cas,dan,eva}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('eleven', '11:00');
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.in_circle(name, 'eleven') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.in_circle(name, 'two') from unnest('{ann,ben,dan}'::text[]) as names (name);
select tests.joined(name, 'five') from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.blocked('ann', 'dan'), tests.blocked('ben', 'ann');
update app.users set attributes = '{"faculty": "law"}', display_name = 'Ann of Law' where user_id = tests.member('ann');
select tests.clock_stands(tests.slot('eleven') + interval '30 minutes');
select app.submit_feedback('stanford', tests.member(name), tests.slot('eleven'), 5, 'I am ' || name, jsonb_build_array(jsonb_build_object('userId', tests.member(mate), 'meetAgain', true)))
from (values ('ann', 'ben'), ('ben', 'ann')) as said (name, mate);
select app.report_user('stanford', tests.member(name), tests.slot('eleven'), tests.member(mate), 'other', 'By ' || name)
from (values ('ann', 'cas'), ('cas', 'ann')) as said (name, mate);
select app.update_profile('stanford', tests.member('ann'), 'Annie', null);
insert into identity.sessions (session_id, campus_id, user_id, created_at, renewed_at, expires_at, user_agent, address)
values (gen_random_uuid(), 'stanford', tests.member('ann'), '2030-01-01', '2030-01-01', '2031-01-01', 'Firefox', '192.0.2.1');
insert into identity.login_codes (email, requested_at, allowance) values ('ann@stanford.edu', '2030-01-01', 5);
select is((select count(*) > 0 from tests.told()) and (select count(*) > 0 from tests.trail()), true, 'given all that');
create table tests.kept as select
  (select count(*) from app.waitlist_entries) as entries, (select count(*) from app.circle_members) as places,
  (select count(*) from app.blocks) as blocks, (select count(*) from app.feedback_about) as about, (select count(*) from app.feedback) as feedback;

-- The wrong calls.
select tests.refused($$ select app.delete_member(null, tests.member('ann')) $$, 'PT403', 'no_campus', 'no campus, no member');
select tests.refused($$ select app.delete_member('mit', tests.member('ann')) $$, 'PT404', 'member_not_found', 'another campus has no such member');
select tests.refused($$ select app.delete_member('stanford', null) $$, 'PT404', 'member_not_found', 'nobody is no member');
select tests.refused($$ select app.delete_member('stanford', gen_random_uuid()) $$, 'PT404', 'member_not_found', 'nor is anybody');

select is(app.delete_member('stanford', tests.member('ann')), '{"deleted": true}', 'Ann deletes her account');

-- Gone.
select results_eq($$ select email = identity.address_pseudonym('ann@stanford.edu'), display_name, tier, attributes from app.users where user_id = tests.member('ann') $$,
  $$ values (true, 'Former member', 'user', '{}'::jsonb) $$, 'address, name and attributes are gone, and power with them');
select is((select comment from app.feedback where user_id = tests.member('ann')), null, 'so are her words');
select is((select comment from app.feedback where user_id = tests.member('ben')), 'I am ben', 'not Ben''s');
select is_empty($$ select from audit.changes where user_id = tests.member('ann') $$, 'and what her name was');
select is_empty($$ select from identity.login_codes $$, 'and her codes');
select is_empty($$ select from identity.sessions where user_id = tests.member('ann') and (ended_at is null or user_agent is not null or address is not null) $$, 'she is signed in nowhere');
select cmp_ok((select abs(extract(epoch from closed_at - clock_timestamp())) from app.user_campuses where user_id = tests.member('ann')), '<', 5.0, 'closed, in real time');
create function tests.holds(p_text text) returns setof text language plpgsql as $$
declare v_table regclass; v_found boolean;
begin
  for v_table in select c.oid from pg_class as c where c.relnamespace::regnamespace::text in ('app', 'identity', 'audit', 'events') and c.relkind in ('r') loop
    execute format('select exists (select from %s as t where t::text ilike %L)', v_table, '%' || p_text || '%') into v_found;
    if v_found then return next v_table; end if;
  end loop;
end $$;
select is_empty('select tests.holds(''ann@stanford.edu'')', 'no table holds the address any more');
select is_empty('select tests.holds(''annie'') union all select tests.holds(''Ann of Law'')', 'nor either name, the outbox neither');

-- Kept.
select results_eq($$ select (select count(*) from app.waitlist_entries), (select count(*) from app.circle_members), (select count(*) from app.blocks), (select count(*) from app.feedback_about), (select count(*) from app.feedback) $$,
  'select * from tests.kept', 'every fact stays');
select is((select count(*) from app.reports), 2::bigint, 'what was reported stays, by her and about her');

-- Ahead.
select results_eq($$ select cancelled_at is not null from app.circle_members where user_id = tests.member('ann') order by time_slot $$, 'values (false), (true)', 'the circle that met stays whole; the one ahead goes on without her');
select is((select left_at is not null from app.waitlist_entries where user_id = tests.member('ann') and time_slot = tests.slot('five')), true, 'she is off the list');
select set_eq($$ select channel, event from tests.told() where channel not like 'session:%' $$, $$ values ('user:ann', 'button'), ('user:ben', 'circle'), ('user:dan', 'circle') $$, 'those concerned are told');
select results_eq($$ select action, member from tests.trail() $$, $$ values ('circle.left', 'ann'), ('circle.below_minimum', null), ('waitlist.left', 'ann'), ('user.deleted', 'ann'), ('session.ended', 'ann') $$, 'and the trail has it');
select is(facts.circle -> 'members' @> '[{"displayName": "Former member"}]', true, 'who met her sees a former member')
from app.circle_facts('stanford', tests.slot('eleven')) as facts;

-- Twice.
select tests.repeats($$ select app.delete_member('stanford', tests.member('ann')) $$, 'again: the same, and nothing is erased twice');
select is((select email from app.users where user_id = tests.member('ann')), identity.address_pseudonym('ann@stanford.edu'), 'her address above all');

-- Others about her.
select is(app.block_user('stanford', tests.member('eva'), tests.member('ann')), jsonb_build_object('userId', tests.member('ann'), 'blocked', true), 'she can be blocked still');
select is(app.submit_feedback('stanford', tests.member('cas'), tests.slot('eleven'), 1, null, jsonb_build_array(jsonb_build_object('userId', tests.member('ann'), 'noShow', true))) ->> 'buttonState', 'past', 'spoken of');
select is(app.report_user('stanford', tests.member('ben'), tests.slot('eleven'), tests.member('ann'), 'fake', null) ->> 'reported', 'true', 'and reported');
select tests.refused(statement, 'PT401', 'account_deleted', statement || ': nothing is written for her')
from unnest(array[
  $$ select app.update_profile('stanford', tests.member('ann'), 'Ann', null) $$, $$ select app.join_waitlist('stanford', tests.member('ann'), tests.slot('five')) $$
]) as statements (statement);
select tests.clock_stands(tests.slot('five') - interval '1 hour');
select is((app.match_time_slot('stanford', tests.slot('five')) ->> 'people')::integer, 3, 'the matching does without her');

select * from finish();
rollback;
