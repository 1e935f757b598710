-- Enumeration by timing: what must look alike is the same work. Counted, not timed: calls of functions, rows read and written.

begin;
select plan(18);

set local track_functions = 'all';
set local plan_cache_mode = force_custom_plan;
set local enable_seqscan = off;

-- What was called and touched in this transaction until now.
create function tests.counters() returns table (what text, times bigint) language sql as $$
  select 'call ' || funcid::regprocedure, calls from pg_stat_xact_user_functions where schemaname = any('{api,app,auth,audit,events,identity,ops}')
  union all
  select kind || ' ' || regexp_replace(relid::regclass::text, '_\d{4}$', ''), sum(rows)
  from pg_stat_xact_user_tables
  cross join lateral (values ('scan', seq_scan + coalesce(idx_scan, 0)), ('read', seq_tup_read + coalesce(idx_tup_fetch, 0)),
    ('insert', n_tup_ins), ('update', n_tup_upd), ('delete', n_tup_del)) as counts (kind, rows)
  where schemaname = any('{api,app,auth,audit,events,identity,ops}')
  group by 1
$$;
-- The work of one call, and the form of its answer; what it did stays.
create function tests.work(p_statement text) returns text language plpgsql as $$
declare
  v_answer jsonb;
  v_before jsonb := (select jsonb_object_agg(what, times) from tests.counters());
begin
  begin
    perform set_config('response.status', '', true);
    execute p_statement into v_answer;
    v_answer := jsonb_build_object('keys', tests.keys(v_answer), 'refusal', v_answer -> 'details', 'status', current_setting('response.status'));
  exception when others then
    v_answer := to_jsonb(sqlstate || ' ' || sqlerrm);
  end;
  v_answer := jsonb_build_object('answer', v_answer, 'work', (
    select jsonb_object_agg(what, times - coalesce((v_before ->> what)::bigint, 0)) from tests.counters()
    where times <> coalesce((v_before ->> what)::bigint, 0)));
  return v_answer::text;
end $$;
create function tests.works(p_statement text, p_who text) returns text language sql
as $$ select tests.work(format(p_statement, p_who || '@stanford.edu')) $$;
create function tests.writes(p_work text) returns text language sql
as $$ select string_agg(key || ' ' || value, ', ' order by key collate "C") from jsonb_each_text(p_work::jsonb -> 'work') where key ~ '^(insert|update|delete) ' $$;

-- Given a member, one who is suspended, one who has deleted the account, and addresses that nobody has. Some calls, to warm up.
select identity.add_key('tests', convert_to(repeat('k', 64), 'UTF8'));
select tests.create_member(name) from unnest('{ann,ben,sue,gone,warm,wade}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
update app.user_campuses set suspended_until = 'infinity' where user_id = tests.member('sue');
select app.delete_member('stanford', tests.member('gone'));
-- As on any table in use. Without statistics, and where tests before this one left dead rows, the planner takes another index
-- of app.users for its primary key, and reads the campus's members up to the one that is meant.
analyze app.users;
select tests.login_code(name || '@stanford.edu', clock_timestamp() - interval '1 hour') from unnest('{warm,warmer}'::text[]) as names (name);
select api.verify_login_code(name || '@stanford.edu', 'wrong') from unnest('{warm,warmer}'::text[]) as names (name);
select tests.work($$ select api.request_login_code('warm@stanford.edu') $$), tests.work($$ select api.verify_login_code('warm@stanford.edu', 'wrong') $$);

-- Asking for a code.
create temp table asked as select who, tests.works('select api.request_login_code(%L)', who) as work, no
from unnest('{bob,ann,sue,gone,cal}'::text[]) with ordinality as people (who, no) order by no;
select is(tests.writes(work), 'insert audit.log 1, insert identity.login_codes 1, insert identity.mails 1, update identity.login_codes 1', 'a stranger asks: what is written') from asked where who = 'bob';
select is(work, (select work from asked where who = 'bob'), 'no other work, nor answer, for ' || who) from asked where who <> 'bob';
create temp table again as select who, tests.works('select api.request_login_code(%L)', who) as work from unnest('{bob,ann,sue,gone}'::text[]) as people (who);
select is(tests.writes(work), null, 'who asks again too soon writes nothing') from again where who = 'bob';
select is(work, (select work from again where who = 'bob'), 'nor does it differ for ' || who) from again where who <> 'bob';

-- Codes are sent; a wrong one is tried.
select count(*) from identity.take_mails(100);
create temp table tried as select who, turn, tests.works('select api.verify_login_code(%L, ''wrong'')', who) as work
from unnest('{bob,ann,sue,gone}'::text[]) as people (who) cross join generate_series(1, 6) as turn;
select is(tests.writes(work), 'insert audit.log 1, update identity.login_codes 1', 'a wrong code: what is written') from tried where who = 'bob' and turn = 1;
select is(count(distinct work), 1::bigint, 'the same for each of five tries, whoever has the address') from tried where turn <= 5;
select is(count(distinct work), 1::bigint, 'and for the sixth, which is not compared any more') from tried where turn = 6;
create temp table none as select who, tests.works('select api.verify_login_code(%L, ''123456'')', who) as work from unnest('{ben,wade,zoe,yan}'::text[]) as people (who);
select is(count(distinct work), 1::bigint, 'where no code was asked for, a member is no other than a stranger') from none;

-- Blocking: who is on another campus is no other than nobody; who is on a list, or blocks, no other than who is not.
select tests.create_slot('two', '14:00');
select tests.joined('ben', 'two'), tests.blocked('wade', 'ann');
select tests.act_as('ann');
select tests.work(format('select api.block_user(%L)', tests.member('warm'))), tests.work(format('select api.unblock_user(%L)', tests.member('warm')));
select is(tests.work(format('select api.block_user(%L)', tests.member('mia'))), tests.work(format('select api.block_user(%L)', gen_random_uuid())), 'blocking: another campus is as unknown as nobody');
select is(count(distinct tests.work(format('select api.block_user(%L)', tests.member(who)))), 1::bigint, 'blocking who is on a list, who blocks me, who is neither')
from unnest('{ben,wade,sue}'::text[]) as people (who);
select is(count(distinct tests.work(format('select api.unblock_user(%L)', who))), 1::bigint, 'unblocking who never was')
from unnest(array[tests.member('mia'), gen_random_uuid()]) as people (who);

-- Reporting, and another's button.
select is(count(distinct tests.work(format('select api.report_user(tests.slot(''two''), %L, ''other'')', who))), 1::bigint, 'reporting who is no mate: on the list, blocking me, of another campus, nobody')
from unnest(array[tests.member('ben'), tests.member('wade'), tests.member('mia'), gen_random_uuid()]) as people (who);
select is(count(distinct tests.work(format('select api.get_button_state(%L, tests.slot(''two''))', who))), 1::bigint, 'another''s button: the same for those')
from unnest(array[tests.member('ben'), tests.member('wade'), tests.member('mia'), gen_random_uuid()]) as people (who);

select * from finish();
rollback;
