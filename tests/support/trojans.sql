-- Everything that a hostile caller could put in the way of a name, and more: requests may not even create these.
-- Each does what it shadows. Run by the owner of our functions, it says so, and the call fails.

create function tests.trap(p_name text)
returns boolean
language plpgsql
as $$
begin
  if current_user in ('circle27_owner', 'circle27_auth') then
    raise exception '% was shadowed, and ran as %', p_name, current_user using errcode = 'ZZ666';
  end if;
  return true;
end;
$$;

-- Types in pg_temp, which are found before all others unless pg_temp is named.
do $types$
declare
  v_type text;
begin
  foreach v_type in array array['text', 'uuid', 'jsonb', 'json', 'timestamptz', 'date', 'interval', 'bigint', 'int8', 'int4', 'bool'] loop
    execute format(
      'create domain pg_temp.%1$I as pg_catalog.%2$s check (tests.trap(%1$L))',
      v_type, case v_type when 'bigint' then 'int8' else v_type end
    );
  end loop;
  execute format('grant usage on schema %I to public', (select nspname from pg_namespace where oid = pg_my_temp_schema()));
end;
$types$;

-- Tables of the same names, with nobody's rows.
create temporary table users (like app.users);
create temporary table user_campuses (like app.user_campuses);
create temporary table campuses (like app.campuses);
create temporary table time_slots (like app.time_slots);
create temporary table waitlist_entries (like app.waitlist_entries);
create temporary table circle_members (like app.circle_members);
create temporary table feedback (like app.feedback);
create temporary table blocks (like app.blocks);
create temporary table outbox (like events.outbox);
create temporary table clock_offset (like app.clock_offset);
grant all on
users, user_campuses, campuses, time_slots, waitlist_entries, circle_members, feedback, blocks, outbox, clock_offset to public;

-- Functions and operators in public.
create function public.clock_timestamp() returns timestamptz language plpgsql
as $$ begin perform tests.trap('clock_timestamp'); return pg_catalog.clock_timestamp(); end $$;
create function public.now() returns timestamptz language plpgsql
as $$ begin perform tests.trap('now'); return pg_catalog.now(); end $$;
create function public.gen_random_uuid() returns pg_catalog.uuid language plpgsql
as $$ begin perform tests.trap('gen_random_uuid'); return pg_catalog.gen_random_uuid(); end $$;
create function public.current_setting(pg_catalog.text, boolean) returns pg_catalog.text language plpgsql
as $$ begin perform tests.trap('current_setting'); return pg_catalog.current_setting($1, $2); end $$;
create function public.set_config(pg_catalog.text, pg_catalog.text, boolean) returns pg_catalog.text language plpgsql
as $$ begin perform tests.trap('set_config'); return pg_catalog.set_config($1, $2, $3); end $$;
create function public.btrim(pg_catalog.text) returns pg_catalog.text language plpgsql
as $$ begin perform tests.trap('btrim'); return pg_catalog.btrim($1); end $$;
create function public.jsonb_typeof(pg_catalog.jsonb) returns pg_catalog.text language plpgsql
as $$ begin perform tests.trap('jsonb_typeof'); return pg_catalog.jsonb_typeof($1); end $$;
create function public.pg_advisory_xact_lock(pg_catalog.int8) returns void language plpgsql
as $$ begin perform tests.trap('pg_advisory_xact_lock'); perform pg_catalog.pg_advisory_xact_lock($1); end $$;

create function tests.same(pg_catalog.uuid, pg_catalog.uuid) returns boolean language plpgsql
as $$ begin perform tests.trap('uuid ='); return $1 operator(pg_catalog.=) $2; end $$;
create function tests.same(pg_catalog.text, pg_catalog.text) returns boolean language plpgsql
as $$ begin perform tests.trap('text ='); return $1 operator(pg_catalog.=) $2; end $$;
create function tests.same(pg_catalog.timestamptz, pg_catalog.timestamptz) returns boolean language plpgsql
as $$ begin perform tests.trap('timestamptz ='); return $1 operator(pg_catalog.=) $2; end $$;
create function tests.got(pg_catalog.jsonb, pg_catalog.text) returns pg_catalog.text language plpgsql
as $$ begin perform tests.trap('->>'); return $1 operator(pg_catalog.->>) $2; end $$;
create operator public.= (leftarg = pg_catalog.uuid, rightarg = pg_catalog.uuid, function = tests.same);
create operator public.= (leftarg = pg_catalog.text, rightarg = pg_catalog.text, function = tests.same);
create operator public.= (leftarg = pg_catalog.timestamptz, rightarg = pg_catalog.timestamptz, function = tests.same);
create operator public.->> (leftarg = pg_catalog.jsonb, rightarg = pg_catalog.text, function = tests.got);

set local search_path = pg_temp, public, pg_catalog;
