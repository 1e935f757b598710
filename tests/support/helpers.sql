-- Test databases only, after the migrations: a small language for tests (schema tests).
--
-- People and slots have names: tests.create_member('ann'), tests.create_slot('two', '14:00'). All of it happens
-- on one day, a Wednesday in summer, and rolls back with the test, the role of tests.act_as() included.
--
-- Those that write are definers, so that they work while the test acts as a member.

create schema tests;
grant usage on schema tests to public;

create table tests.people (
  name text primary key,
  campus_id text not null,
  user_id uuid not null
);

create table tests.slots (
  name text primary key,
  campus_id text not null,
  time_slot timestamptz not null
);

-- The day of the tests.
create function tests.day()
returns date
language sql
immutable
as $$ select date '2030-06-12' $$;

-- A campus with the defaults of app.campuses; there already is no error.
create function tests.create_campus(
  p_campus_id text default 'stanford', p_time_zone text default 'America/Los_Angeles'
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into app.campuses (campus_id, name, time_zone)
  values (p_campus_id, initcap(p_campus_id), p_time_zone)
  on conflict do nothing;
  insert into app.campus_domains (domain, campus_id)
  values (p_campus_id || '.edu', p_campus_id)
  on conflict do nothing
$$;

create function tests.campus_zone(p_campus_id text)
returns text
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$ select time_zone from app.campuses where campus_id = p_campus_id $$;

-- A member by name; the campus is made if need be.
create function tests.create_member(p_name text, p_campus_id text default 'stanford', p_tier text default 'user')
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id uuid := gen_random_uuid();
begin
  perform tests.create_campus(p_campus_id);
  insert into app.user_campuses (user_id, campus_id) values (v_user_id, p_campus_id);
  insert into app.users (campus_id, user_id, email, display_name, tier)
  values (p_campus_id, v_user_id, p_name || '@' || p_campus_id || '.edu', initcap(p_name), p_tier);
  insert into tests.people values (p_name, p_campus_id, v_user_id);
  return v_user_id;
end;
$$;

-- A slot by name, at a local time of the campus on tests.day().
create function tests.create_slot(p_name text, p_time time, p_campus_id text default 'stanford')
returns timestamptz
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_time_slot timestamptz;
begin
  perform tests.create_campus(p_campus_id);
  v_time_slot := (tests.day() + p_time) at time zone tests.campus_zone(p_campus_id);
  insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
  select p_campus_id, v_time_slot, v_time_slot - deadline_lead, v_time_slot + duration, app.next_version()
  from app.campuses where campus_id = p_campus_id;
  insert into tests.slots values (p_name, p_campus_id, v_time_slot);
  return v_time_slot;
end;
$$;

-- The user id of a person; null for null and for nobody.
create function tests.member(p_name text)
returns uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$ select user_id from tests.people where name = p_name $$;

-- The instant of a slot.
create function tests.slot(p_name text)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$ select time_slot from tests.slots where name = p_name $$;

-- The member is on the slot's list; with p_left, was and left it.
create function tests.joined(p_name text, p_slot text, p_left boolean default false)
returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, left_at, version)
  select
    people.campus_id, tests.slot(p_slot), people.user_id,
    tests.slot(p_slot) - interval '3 hours',
    case when p_left then tests.slot(p_slot) - interval '2 hours' end,
    app.next_version()
  from tests.people where people.name = p_name
  returning version
$$;

-- The slot was matched at its deadline.
create function tests.matched(p_slot text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  update app.time_slots as slots
  set matched_at = slots.deadline_at, version = app.next_version()
  from tests.slots as named
  where named.name = p_slot and slots.campus_id = named.campus_id and slots.time_slot = named.time_slot
    and slots.matched_at is null
$$;

-- The slot was called off.
create function tests.cancelled(p_slot text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  update app.time_slots as slots
  set cancelled_at = app.clock(), version = app.next_version()
  from tests.slots as named
  where named.name = p_slot and slots.campus_id = named.campus_id and slots.time_slot = named.time_slot;
  update app.circles
  set called_off = true
  from tests.slots as named
  where named.name = p_slot and circles.campus_id = named.campus_id and circles.time_slot = named.time_slot
$$;

-- The member is in a circle of the slot, which is matched thereby.
create function tests.in_circle(p_name text, p_slot text, p_circle_no integer default 1)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  select tests.matched(p_slot);
  select tests.joined(p_name, p_slot)
  where not exists (
    select from app.waitlist_entries
    where user_id = tests.member(p_name) and time_slot = tests.slot(p_slot)
  );
  insert into app.circles (campus_id, time_slot, circle_no, ends_at)
  select slots.campus_id, slots.time_slot, p_circle_no, slots.ends_at
  from tests.people
  inner join app.time_slots as slots
    on slots.campus_id = people.campus_id and slots.time_slot = tests.slot(p_slot)
  where people.name = p_name
  on conflict on constraint circles_pkey do nothing;
  insert into app.circle_members (campus_id, time_slot, user_id, circle_no)
  select people.campus_id, tests.slot(p_slot), people.user_id, p_circle_no
  from tests.people where people.name = p_name
$$;

-- The member has given feedback on the slot.
create function tests.gave_feedback(p_name text, p_slot text, p_rating integer default 5)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into app.feedback (campus_id, time_slot, user_id, rating, created_at)
  select people.campus_id, tests.slot(p_slot), people.user_id, p_rating, app.clock()
  from tests.people where people.name = p_name
$$;

-- Turn the app clock to a local time on tests.day().
create function tests.clock(p_time time, p_campus_id text default 'stanford')
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  update app.clock_offset
  set time_offset = make_interval(secs => extract(
    epoch from ((tests.day() + p_time) at time zone coalesce(tests.campus_zone(p_campus_id), 'America/Los_Angeles'))
    - clock_timestamp()
  )::double precision)
$$;

-- The claims that a person's token carries, with changes: null removes a claim.
create function tests.claims(p_name text, p_changes jsonb default '{}')
returns jsonb
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(coalesce(
    (select identity.token_claims(user_id) from tests.people where name = p_name),
    '{"aud": "authenticated", "role": "authenticated", "exp": 4000000000, "iat": 1}'
  ) || p_changes)
$$;

-- Act as a person, until the transaction ends: role and claims as PostgREST sets them.
-- act_as(null) is a member's token that names nobody. No definer: those can't switch the role.
create function tests.act_as(p_name text, p_changes jsonb default '{}')
returns void
language plpgsql
as $$
begin
  if p_name is not null and tests.member(p_name) is null then
    raise exception 'there is nobody called %', p_name;
  end if;
  perform set_config('request.jwt.claims', tests.claims(p_name, p_changes)::text, true);
  perform set_config('role', 'authenticated', true);
end;
$$;

-- Act with a key: anon (nobody) or service_role (a trusted server).
create function tests.act_as_role(p_role text)
returns void
language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'exp', 4000000000)::text, true);
  perform set_config('role', p_role, true);
end;
$$;

-- Back to the superuser that runs the test.
create function tests.act_as_nobody()
returns void
language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', '', true);
  perform set_config('role', 'none', true);
end;
$$;

-- One assertion: the statement is refused with this SQLSTATE and slug.
create function tests.refused(p_statement text, p_sqlstate text, p_slug text, p_name text)
returns text
language plpgsql
as $$
declare
  v_sqlstate text := 'no error';
  v_slug     text;
begin
  begin
    execute p_statement;
  exception when others then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_slug = pg_exception_detail;
  end;
  return tap.is(v_sqlstate || ' ' || v_slug, p_sqlstate || ' ' || p_slug, p_name);
end;
$$;

-- A response header that the call has set.
create function tests.header(p_name text)
returns text
language sql
stable
as $$
  select header ->> p_name
  from json_array_elements(nullif(current_setting('response.headers', true), '')::json) as headers (header)
  where header ->> p_name is not null
$$;

-- The app clock stands at this instant: for what begins or ends with a microsecond. tests.clock() no longer moves it.
create function tests.clock_stands(p_at timestamptz)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format(
    'create or replace function app.clock() returns timestamptz language plpgsql volatile as %L',
    format('begin return pg_catalog.timestamptz %L; end', p_at)
  );
end;
$$;

-- What was told since the last look, in order, with the names of people in the channels.
create function tests.told()
returns table (channel text, event text, payload jsonb)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  with gone as (delete from events.outbox returning *)
  select
    coalesce(
      (select 'user:' || people.name from tests.people where gone.channel = 'user:' || people.user_id), gone.channel
    ),
    gone.event,
    gone.payload
  from gone order by gone.id
$$;

-- What was written into the trail since the last look, in order, with the names of people and slots.
create function tests.trail()
returns table (action text, member text, slot text, details jsonb)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  with gone as (delete from audit.log returning *)
  select
    gone.action,
    (select people.name from tests.people where people.user_id = gone.user_id),
    (select slots.name from tests.slots where (slots.campus_id, slots.time_slot) = (gone.campus_id, gone.time_slot)),
    gone.details
  from gone order by gone.id
$$;

-- How many rows this transaction has written into any table of ours, outbox and trail included.
create function tests.written()
returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint
  from pg_stat_xact_user_tables where schemaname in ('app', 'events', 'audit', 'identity', 'ops')
$$;

-- One assertion: the statement, run twice, gives the same answer, and writes nothing the second time.
create function tests.repeats(p_statement text, p_name text)
returns text
language plpgsql
as $$
declare
  v_first   text;
  v_second  text;
  v_written bigint;
begin
  execute p_statement into v_first;
  v_written := tests.written();
  execute p_statement into v_second;
  return tap.is(
    format('%s, %s rows written', v_second, tests.written() - v_written), format('%s, 0 rows written', v_first), p_name
  );
end;
$$;

-- One assertion: these roles may call the function, and none else of those that requests and jobs run as.
create function tests.may_call(p_function text, p_roles text[], p_name text default null)
returns text
language sql
as $$
  select tap.is(
    array(
      select role
      from unnest(array['anon', 'authenticated', 'service_role', 'circle27_worker', 'circle27_monitor']) as roles (role)
      where has_function_privilege(role, p_function, 'execute')
    ),
    p_roles,
    coalesce(
      p_name,
      p_function || ' is called by ' || coalesce(nullif(array_to_string(p_roles, ', '), ''), 'other functions only')
    )
  )
$$;

-- A member blocks another.
create function tests.blocked(p_name text, p_other text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into app.blocks (campus_id, user_id, blocked_id)
  select campus_id, user_id, tests.member(p_other) from tests.people where name = p_name
$$;

-- The circles of a slot, in the order of their numbers: 'ann ben cas'. Places that were given up are not in it.
create function tests.circles(p_slot text)
returns setof text
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(people.name, ' ' order by people.name)
  from app.circle_members as members
  inner join tests.slots
    on slots.name = p_slot and (slots.campus_id, slots.time_slot) = (members.campus_id, members.time_slot)
  inner join tests.people on people.user_id = members.user_id
  where members.cancelled_at is null
  group by members.circle_no order by members.circle_no
$$;

-- The keys of an object, in order.
create function tests.keys(p_object jsonb)
returns text
language sql
as $$ select string_agg(key, ' ' order by key) from jsonb_object_keys(p_object) as keys (key) $$;

-- One part of a JWT, read: 1 the header, 2 the claims.
create function tests.token_part(p_token text, p_part integer default 2)
returns jsonb
language sql
as $$
  select convert_from(decode(part || repeat('=', -length(part) & 3), 'base64'), 'UTF8')::jsonb
  from translate(split_part(p_token, '.', p_part), '-_', '+/') as parts (part)
$$;

-- Noon of tests.day(), and so long after: an instant to hand to what takes one.
create function tests.noon(p_later interval default '0')
returns timestamptz
language sql
immutable
as $$ select timestamptz '2030-06-12 12:00+00' + p_later $$;

-- The login code for an address, asked for and sent at an instant.
create function tests.login_code(p_email text, p_at timestamptz default tests.noon())
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mail record;
begin
  perform identity.request_login_code(p_email, p_at);
  select * into strict v_mail from identity.take_mails(100, p_at) as mails where mails.recipient = lower(btrim(p_email));
  perform identity.mail_sent(v_mail.mail_id, v_mail.attempt);
  return v_mail.facts ->> 'code';
end;
$$;

-- A code that is not this one.
create function tests.wrong_code(p_code text)
returns text
language sql
immutable
as $$ select lpad(((p_code::integer + 1) % 1000000)::text, 6, '0') $$;

-- Sign in by e-mail at an instant; returns the tokens. The access tokens are signed with a key of the tests.
create function tests.signed_in(p_email text, p_at timestamptz default tests.noon())
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform identity.add_key('tests', convert_to(repeat('k', 64), 'UTF8'));
  return identity.verify_login_code(p_email, tests.login_code(p_email, p_at), p_at);
end;
$$;

-- One assertion: the call answers, and so commits, but the answer is the refusal of this slug.
create function tests.denied(p_statement text, p_status text, p_slug text, p_name text)
returns text
language plpgsql
as $$
declare
  v_answer jsonb;
begin
  perform set_config('response.status', '', true);
  execute p_statement into v_answer;
  return tap.is(
    format('%s %s %s', current_setting('response.status'), v_answer ->> 'code', v_answer ->> 'details'),
    format('%s PT%s %s', p_status, p_status, p_slug), p_name
  );
end;
$$;
