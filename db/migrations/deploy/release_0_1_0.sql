-- Deploy circle27:release_0_1_0 to pg
-- Generated from db/functions and db/policies by `circle27 db snapshot`: edit those, not this file.

begin;

set local role circle27_owner;

-- source: db/functions/api/get_button_state.sql
-- api.get_button_state(p_user_id, p_time_slot, p_current_time): the seed's call: the button of one slot.
--
-- A member asks for themselves, and the server's clock decides; p_current_time is accepted from clients that
-- send it, and has no effect. service_role may ask for any member and at any time.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.get_button_state(
  p_user_id uuid,
  p_time_slot timestamptz,
  p_current_time timestamptz default null
)
returns json
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $function$
declare
  v_campus_id text;
  v_now       timestamptz := app.clock();
  v_button    json;
begin
  if app.is_service() then
    select directory.campus_id
    into v_campus_id
    from app.user_campuses as directory
    where directory.user_id = p_user_id;

    if not found then
      perform app.refuse('member_not_found');
    end if;
    v_now := coalesce(p_current_time, v_now);
  else
    v_campus_id := app.current_campus_id();  -- refuses not_signed_in, no_campus, wrong_campus
    if p_user_id is distinct from auth.uid() then
      perform app.refuse('not_yours');
    end if;
  end if;

  v_button := app.button(v_campus_id, p_user_id, p_time_slot, v_now);
  if v_button is null then
    perform app.refuse('slot_not_found');
  end if;

  return v_button;
end;
$function$;

comment on function api.get_button_state(uuid, timestamptz, timestamptz) is
'The button of one slot: buttonState, buttonText, middleText, isDisabled. p_current_time counts for service_role only. Refuses not_signed_in, no_campus, wrong_campus, not_yours, member_not_found, slot_not_found.';

revoke all on function api.get_button_state(uuid, timestamptz, timestamptz) from public;
grant execute on function api.get_button_state(uuid, timestamptz, timestamptz) to authenticated, service_role;

-- source: db/functions/api/get_button_states.sql
-- api.get_button_states(p_day): every slot of a day in one call, as the caller sees it.
--
-- The generic plan: making one for each call's own values costs more than running it.
--
-- Definer: it reads the tables as their owner, once the token has said who asks; members hold no right on them.

create or replace function api.get_button_states(p_day date default null)
returns json
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, wrong_campus
  v_now    timestamptz := app.clock();
begin
  if p_day not between date '2000-01-01' and date '2199-12-31' then
    perform app.refuse('day_invalid');
  end if;

  return json_build_object(
    'now', v_now,
    'slots', app.day_states(v_member.campus_id, v_member.user_id, v_member.time_zone, p_day, v_now)
  );
end;
$function$;

comment on function api.get_button_states(date) is
'Every slot of a day (default: today on the campus) as the caller sees it: {now, slots}. Refuses not_signed_in, no_campus, wrong_campus, day_invalid.';

revoke all on function api.get_button_states(date) from public;
grant execute on function api.get_button_states(date) to authenticated;

-- source: db/functions/api/open_stream.sql
-- api.open_stream(): authorise a stream of events. The gateway takes the connection over from here.
--
-- The answer is a header that only the gateway sees: which channels to hold the connection on. It is put together
-- from two uuids and a checked campus id, so nothing that a client can write gets into it.
--
-- VOLATILE: opening a stream will mark the member online. Definer: reads the directory as its owner.

create or replace function api.open_stream()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id  text := app.current_campus_id();  -- refuses not_signed_in, no_campus, wrong_campus
  v_session_id text := auth.jwt() ->> 'session_id';
begin
  if v_session_id is null or v_session_id !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
    perform app.refuse('session_missing');
  end if;

  perform set_config(
    'response.headers',
    format(
      '[{"X-Accel-Redirect": "/_stream/session:%s,user:%s,campus:%s"}]',
      v_session_id::uuid, auth.uid(), v_campus_id
    ),
    true
  );
end;
$function$;

comment on function api.open_stream() is
'Authorise a stream of events on the member''s channels; called by the gateway. Refuses not_signed_in, no_campus, wrong_campus, session_missing.';

revoke all on function api.open_stream() from public;
grant execute on function api.open_stream() to authenticated;

-- source: db/functions/api/set_clock_offset.sql
-- api.set_clock_offset(p_offset): move the clock that slots follow (tests, demos). Trusted servers only.
--
-- Definer: no role of a request may write app.clock_offset.

create or replace function api.set_clock_offset(p_offset interval)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return jsonb_build_object('now', app.set_clock_offset(p_offset));
end;
$function$;

comment on function api.set_clock_offset(interval) is
'Move the clock that slots, deadlines and feedback follow; gives {now}. service_role only. Refuses clock_offset_invalid.';

revoke all on function api.set_clock_offset(interval) from public;
grant execute on function api.set_clock_offset(interval) to service_role;

-- source: db/functions/api/time_slots.sql
-- api.time_slots(p_campus_id, p_day): the slots of a campus on one day. Public, the same for everyone, cacheable.
--
-- Instants are written in the campus's zone, not the caller's: one cached answer serves all. It may be kept for the
-- whole seconds before the next thing that the clock changes in it (so never past a deadline), and for ten at most.
--
-- Definer: anyone may ask, nobody may read the tables.
--
-- requires: app.slot_status, app.day_start

create or replace function api.time_slots(p_campus_id text, p_day date default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now       timestamptz := app.clock();
  v_time_zone text;
  v_day       date;
  v_slots     jsonb;
  v_next      timestamptz;
begin
  if p_day not between date '2000-01-01' and date '2199-12-31' then
    perform app.refuse('day_invalid');
  end if;

  select campuses.time_zone
  into v_time_zone
  from app.campuses
  where campuses.campus_id = p_campus_id;

  if not found then
    perform app.refuse('campus_not_found');
  end if;
  v_day := coalesce(p_day, (v_now at time zone v_time_zone)::date);
  perform set_config('TimeZone', v_time_zone, true);

  select
    jsonb_agg(
      jsonb_build_object(
        'timeSlot', slots.time_slot,
        'deadlineAt', slots.deadline_at,
        'endsAt', slots.ends_at,
        'slotStatus',
        app.slot_status(v_now, slots.deadline_at, slots.ends_at, slots.matched_at, slots.cancelled_at),
        'version', slots.version
      )
      order by slots.time_slot
    ),
    least(
      min(slots.deadline_at) filter (where slots.deadline_at > v_now),
      min(slots.ends_at) filter (where slots.ends_at > v_now)
    )
  into v_slots, v_next
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot >= app.day_start(v_time_zone, v_day)
    and slots.time_slot < app.day_start(v_time_zone, v_day + 1);

  perform set_config(
    'response.headers',
    format(
      '[{"Cache-Control": "public, max-age=%s"}]',
      least(10, coalesce(floor(extract(epoch from v_next - v_now)), 10))::integer
    ),
    true
  );

  return jsonb_build_object(
    'campusId', p_campus_id,
    'timeZone', v_time_zone,
    'day', v_day,
    'slots', coalesce(v_slots, '[]')
  );
end;
$function$;

comment on function api.time_slots(text, date) is
'The slots of a campus on one day (default: today there): {campusId, timeZone, day, slots}. Public and cacheable. Refuses campus_not_found, day_invalid.';

revoke all on function api.time_slots(text, date) from public;
grant execute on function api.time_slots(text, date) to anon, authenticated, service_role;

-- source: db/functions/app/add_campus.sql
-- app.add_campus(p_campus_id, p_name, p_time_zone, p_email_domains, p_slot_times): add a campus.
--
-- Repeatable: the same values again change nothing. Other values for an existing campus are refused, never
-- taken silently: moving a time zone moves what every open slot's button says.

create or replace function app.add_campus(
  p_campus_id text,
  p_name text,
  p_time_zone text,
  p_email_domains text[],
  p_slot_times time[] default array['11:00', '14:00', '17:00']::time[]
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_domains text[] := array(
    select distinct lower(domains.domain) from unnest(p_email_domains) as domains (domain) order by 1
  );
  v_times   time[] := array(select distinct times.at from unnest(p_slot_times) as times (at) order by 1);
  v_added   boolean;
begin
  -- A view over all zones' files, slow but exact; a campus is added once.
  if cardinality(v_domains) = 0
    or not exists (select from pg_timezone_names as zones where zones.name = p_time_zone) then
    perform app.refuse('campus_invalid');
  end if;

  begin
    insert into app.campuses (campus_id, name, time_zone, slot_times)
    values (p_campus_id, p_name, p_time_zone, v_times)
    on conflict on constraint campuses_pkey do nothing;
    v_added := found;
  exception
    when check_violation or not_null_violation then
      perform app.refuse('campus_invalid');
  end;

  if not v_added then
    if exists (
      select
      from app.campuses
      where campuses.campus_id = p_campus_id
        and campuses.name = p_name
        and campuses.time_zone = p_time_zone
        and campuses.slot_times = v_times
    ) and v_domains = array(
      select domains.domain from app.campus_domains as domains where domains.campus_id = p_campus_id order by 1
    ) then
      return p_campus_id;
    end if;
    perform app.refuse('campus_exists');
  end if;

  begin
    insert into app.campus_domains (domain, campus_id)
    select domains.domain, p_campus_id
    from unnest(v_domains) as domains (domain);
  exception
    when unique_violation then
      perform app.refuse('email_domain_taken');
    when check_violation or not_null_violation then
      perform app.refuse('campus_invalid');
  end;

  perform audit.record(
    'campus.added', p_campus_id, null, null,
    jsonb_build_object('timeZone', p_time_zone, 'emailDomains', v_domains, 'slotTimes', v_times)
  );
  return p_campus_id;
end;
$function$;

comment on function app.add_campus(text, text, text, text[], time[]) is
'Add a campus; the same values again change nothing. Refuses campus_invalid, campus_exists, email_domain_taken.';

revoke all on function app.add_campus(text, text, text, text[], time[]) from public;

-- source: db/functions/app/api_version.sql
-- app.api_version(): the version of the interface, in one place.

create or replace function app.api_version()
returns text
language sql
immutable
parallel safe
as $function$
  select '0.1.0'
$function$;

comment on function app.api_version() is
'The version of the interface that this database serves.';

revoke all on function app.api_version() from public;

-- source: db/functions/api/ready.sql
-- api.ready(): whether this database can serve and write. The gateway's /ready asks it.
--
-- Enters a table on purpose: a database that answers `select 1` may still not know ours. Where it can't, it refuses
-- with 503, so that whoever asks sees it in the status and need not read the answer.
--
-- Definer: anyone may ask, nobody may read the tables.
--
-- requires: app.api_version

create or replace function api.ready()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  if pg_is_in_recovery() or not exists (select from app.clock_offset) then
    perform app.refuse('not_ready');
  end if;

  return jsonb_build_object('ready', true, 'version', app.api_version());
end;
$function$;

comment on function api.ready() is
'Whether this database can serve and write: {ready, version}. Refuses not_ready.';

revoke all on function api.ready() from public;
grant execute on function api.ready() to anon, authenticated, service_role;

-- source: db/functions/app/clock.sql
-- app.clock(): the time that slots, deadlines and feedback follow.
--
-- The real clock plus an offset that is zero in production; tests and demos move it. Read it once in a call,
-- after the slot's lock is held, and pass it down as p_now. Tokens, limits and the trail use clock_timestamp().
--
-- Part of every call, so without settings of its own; every name is qualified.

create or replace function app.clock()
returns timestamptz
language plpgsql
volatile
as $function$
begin
  return pg_catalog.clock_timestamp() + (select clock_offset.time_offset from app.clock_offset);
end;
$function$;

comment on function app.clock() is
'The time that slots, deadlines and feedback follow: real time plus app.clock_offset.';

revoke all on function app.clock() from public;
grant execute on function app.clock() to service_role, circle27_worker;

-- source: db/functions/app/current_campus_id.sql
-- app.current_campus_id(): the campus of the member that the token names.

create or replace function app.current_campus_id()
returns text
language plpgsql
stable
as $function$
begin
  return (app.current_member()).campus_id;
end;
$function$;

comment on function app.current_campus_id() is
'The campus of the member that the token names. Refuses not_signed_in, no_campus, wrong_campus.';

revoke all on function app.current_campus_id() from public;

-- source: db/functions/app/current_member.sql
-- app.current_member(): the member that the token names: user_id, campus_id and the campus's time_zone.
--
-- The directory decides the campus; a claim that says otherwise is a token from before a move, and is refused
-- rather than believed. Called by api functions only, as their definer.
--
-- Part of every call, so the claims are parsed once, and it has no settings of its own.

create or replace function app.current_member(out user_id uuid, out campus_id text, out time_zone text)
returns record
language plpgsql
stable
as $function$
declare
  v_claims jsonb := auth.jwt();
begin
  if v_claims ->> 'sub' is null then
    perform app.refuse('not_signed_in');
  end if;

  select directory.user_id, directory.campus_id, campuses.time_zone
  into current_member.user_id, current_member.campus_id, current_member.time_zone
  from app.user_campuses as directory
  inner join app.campuses on campuses.campus_id = directory.campus_id
  where directory.user_id = (v_claims ->> 'sub')::pg_catalog.uuid;

  if current_member.campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if v_claims ->> 'campus_id' <> current_member.campus_id then
    perform app.refuse('wrong_campus');
  end if;
end;
$function$;

comment on function app.current_member() is
'The member that the token names, with the campus. Refuses not_signed_in, no_campus, wrong_campus.';

revoke all on function app.current_member() from public;

-- source: db/functions/app/emit.sql
-- app.emit(p_campus_id, p_channel, p_event, p_payload): put one event into the outbox.
--
-- In the transaction that caused it: it is told if and only if that commits. No NOTIFY, whose lock at commit
-- is one for the whole cluster. The channel is user:<user_id>, session:<session_id> (lower-case uuids)
-- or campus:<campus_id>; the table refuses all else, an event's name beyond a-z and _, and a payload above 16 kB.

create or replace function app.emit(p_campus_id text, p_channel text, p_event text, p_payload jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  insert into events.outbox (campus_id, channel, event, payload)
  values (p_campus_id, p_channel, p_event, p_payload);
end;
$function$;

comment on function app.emit(text, text, text, jsonb) is
'Put one event into the outbox, in the transaction that caused it.';

revoke all on function app.emit(text, text, text, jsonb) from public;

-- source: db/functions/app/error_registry.sql
-- app.error_registry(): every refusal there is. The one place to add one; docs/error_codes.md is made from it.
--
-- A message is a constant ASCII sentence without input: PostgREST writes it into the HTTP status line.
-- No refusal has status 400 (the gateway repeats those that broken pooled connections cause), and of the
-- server's own only 503 and 504, which say: try again later.

create or replace function app.error_registry()
returns table (slug text, status integer, message text, hint text, retry_safe boolean, area text)
language sql
immutable
parallel safe
as $function$
  values
    -- Who is calling.
    ('not_signed_in', 401, 'This call needs a signed-in member',
     'Send an access token of a member in the Authorization header', false, 'identity'),
    ('token_invalid', 401, 'The token lacks a claim or carries a malformed one',
     'A member''s token has exp, aud, a uuid as sub and, if present, a uuid as session_id and an IANA name as tz; sign in again', false, 'identity'),
    ('session_missing', 401, 'A stream needs a token with a session',
     'Sign in again; the token must have a uuid as session_id', false, 'identity'),
    ('no_campus', 403, 'This member belongs to no campus',
     'Register the member with an e-mail address of a campus', false, 'identity'),
    ('wrong_campus', 403, 'The token names another campus than the member''s own',
     'Sign in again to get a token for the campus the member belongs to now', false, 'identity'),
    ('not_yours', 403, 'This is for the member concerned only',
     'Ask with your own user id', false, 'identity'),
    ('member_not_found', 404, 'There is no such member',
     'Check the user id', false, 'identity'),
    ('ttl_invalid', 422, 'A token lives between one second and 366 days',
     'Give an interval in that range', false, 'identity'),
    -- Campuses and their members.
    ('campus_not_found', 404, 'There is no such campus',
     'Check the campus id; it is lower case', false, 'campus'),
    ('campus_exists', 409, 'The campus exists with other values',
     'Adding never changes a campus; update the existing one', false, 'campus'),
    ('campus_invalid', 422, 'A value of the campus is not allowed',
     'The id is lower case letters, digits and hyphens; the time zone an IANA name; there are 1 to 48 slot times and at least one e-mail domain', false, 'campus'),
    ('email_domain_taken', 409, 'The e-mail domain belongs to another campus',
     'A domain belongs to one campus; remove it there first', false, 'campus'),
    ('email_invalid', 422, 'The e-mail address is not valid',
     'Send an address like ann@example.edu', false, 'campus'),
    ('email_domain_unknown', 422, 'No campus has this e-mail domain',
     'Use the address that your campus gave you', false, 'campus'),
    ('display_name_invalid', 422, 'The display name is not allowed',
     'Use 1 to 80 characters without control characters', false, 'campus'),
    -- Slots.
    ('slot_not_found', 404, 'There is no such time slot',
     'Take timeSlot from get_button_states or time_slots', false, 'slots'),
    ('day_invalid', 422, 'The day is out of range',
     'Send a date between 2000-01-01 and 2199-12-31, or none for today', false, 'slots'),
    -- Clock, queue, readiness.
    ('clock_offset_invalid', 422, 'The clock cannot be moved by this interval',
     'Give an interval of at most 99 years', false, 'operations'),
    ('time_invalid', 422, 'The time is missing or out of range',
     'Give an instant between 2000-01-01 and 2199-12-31', false, 'operations'),
    ('limit_invalid', 422, 'The number of events to take is out of range',
     'Take between 1 and 10000', false, 'operations'),
    ('not_ready', 503, 'The database cannot serve and write yet',
     'Try again in a few seconds', true, 'operations')
$function$;

comment on function app.error_registry() is
'Every refusal: slug, HTTP status, message, hint, whether the same call may be repeated as it is, area.';

revoke all on function app.error_registry() from public;
-- app.refuse() runs as its caller.
grant execute on function app.error_registry() to anon, authenticated, service_role, circle27_auth;

-- source: db/functions/app/hour_text.sql
-- app.hour_text(p_local): the hour of a local time as the button shows it: 1PM, 1:30PM, 12AM, 12PM.
--
-- IMMUTABLE in truth: PostgreSQL calls to_char() STABLE because of patterns that follow lc_time, and none is here.
-- PL/pgSQL and without settings of its own, for it is part of every button.

create or replace function app.hour_text(p_local timestamp)
returns text
language plpgsql
immutable
parallel safe
as $function$
begin
  return replace(to_char(p_local, 'FMHH12:MIAM'), ':00', '');
end;
$function$;

comment on function app.hour_text(timestamp) is
'The hour of a local time as the button shows it: 1PM, 1:30PM, 12AM.';

revoke all on function app.hour_text(timestamp) from public;

-- source: db/functions/app/button_state.sql
-- app.button_state(...): Method 7, the one rule of the button. All else calls it.
--
-- Reads no table and no clock. Before the deadline the waitlist decides, after it the circle, after the end
-- the feedback; a boundary belongs to what comes after it. Each line below is a line of the specification.
--
-- Honestly immutable: the object is put together as text (json_build_object() is only STABLE), the hour by
-- app.hour_text(). Plain SQL without a header of settings, so that it is inlined into the queries that call it.
--
-- requires: app.hour_text

create or replace function app.button_state(
  p_now timestamptz,
  p_deadline_at timestamptz,
  p_ends_at timestamptz,
  p_time_zone text,
  p_on_waitlist boolean,
  p_in_circle boolean,
  p_feedback_given boolean
)
returns json
language sql
immutable
parallel safe
as $function$
  select (
    case
      when p_now < p_deadline_at and not p_on_waitlist
        then '{"buttonState": "join", "buttonText": "Join", "isDisabled": false, "middleText": "Decide by '
      when p_now < p_deadline_at and p_on_waitlist
        then '{"buttonState": "leave", "buttonText": "Can''t Go", "isDisabled": false, "middleText": "Decide by '
      when p_now >= p_deadline_at and not p_in_circle
        then '{"buttonState": "past", "buttonText": "Past", "isDisabled": true, "middleText": "Closed at '
      when p_now < p_ends_at and p_in_circle
        then '{"buttonState": "confirmed", "buttonText": "Confirmed ✓", "isDisabled": false, "middleText": "Confirmed at '
      when p_now >= p_ends_at and not p_feedback_given
        then '{"buttonState": "feedback", "buttonText": "Feedback >", "isDisabled": false, "middleText": "Confirmed at '
      when p_now >= p_ends_at and p_feedback_given
        then '{"buttonState": "past", "buttonText": "Past", "isDisabled": true, "middleText": "Confirmed at '
    end
    || app.hour_text(p_deadline_at at time zone p_time_zone)
    || '"}'
  )::json
$function$;

comment on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean) is
'Method 7: what the button of one member and slot says at p_now. Four keys: buttonState, buttonText, middleText, isDisabled.';

revoke all on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean)
from public;

-- source: db/functions/app/is_service.sql
-- app.is_service(): whether the request runs as service_role.
--
-- Asks the session, not the token: `set role` can't be forged by a claim, and it is seen through a definer.

create or replace function app.is_service()
returns boolean
language sql
stable
parallel safe
as $function$
  select pg_catalog.current_setting('role', true) = 'service_role'
$function$;

comment on function app.is_service() is
'Whether the request runs as service_role, also within a definer.';

revoke all on function app.is_service() from public;

-- source: db/functions/app/local_instant.sql
-- app.local_instant(p_time_zone, p_local): the instant of a local time: the one rule for missing and double hours.
--
-- 11:00 is 11:00 on both sides of a daylight-saving change. A local time that the change leaves out counts
-- with the offset before it, as RFC 5545 has it: 02:30 becomes 03:30. (`at time zone` does so.) A local time that
-- comes twice means the first: `at time zone` gives the second, so the offset of a day earlier is tried too.
--
-- On all other days the offset is that of the day before, and the first test ends it. Part of every call, so without
-- settings of its own. Intervals hold hours, so no session's zone matters.

create or replace function app.local_instant(p_time_zone text, p_local timestamp)
returns timestamptz
language plpgsql
immutable
parallel safe
as $function$
declare
  v_instant timestamptz := p_local at time zone p_time_zone;
  v_shift   interval;
begin
  if (v_instant - interval '24 hours') at time zone p_time_zone = p_local - interval '24 hours' then
    return v_instant;
  end if;

  -- How far the clocks went back since a day earlier: the first of two is as much before the second.
  v_shift := (v_instant - interval '24 hours') at time zone p_time_zone - (p_local - interval '24 hours');
  if v_shift > interval '0' and (v_instant - v_shift) at time zone p_time_zone = p_local then
    return v_instant - v_shift;
  end if;

  return v_instant;
end;
$function$;

comment on function app.local_instant(text, timestamp) is
'The instant of a local time: a missing one is moved as RFC 5545 does, a double one means the first.';

revoke all on function app.local_instant(text, timestamp) from public;

-- source: db/functions/app/day_start.sql
-- app.day_start(p_time_zone, p_day): the first instant of a local day.
--
-- The day goes on to the start of the next one, so every instant is on one day and no more. Its first instant is
-- midnight; of a double midnight the first; where midnight is missing, the end of the gap (clocks that skip midnight
-- go from 00:00 to 01:00, so the rule for missing hours hits it). A day that a zone skipped is empty.
--
-- One expression, which the planner puts into its caller: it costs no call of its own.
--
-- requires: app.local_instant

create or replace function app.day_start(p_time_zone text, p_day date)
returns timestamptz
language sql
immutable
parallel safe
as $function$
  select app.local_instant(p_time_zone, p_day::pg_catalog.timestamp)
$function$;

comment on function app.day_start(text, date) is
'The first instant of a local day: midnight, the first of a double one, the end of the gap where it is missing.';

revoke all on function app.day_start(text, date) from public;

-- source: db/functions/app/member_facts.sql
-- app.member_facts(p_user_id): what a token says of a member: campus, tier, time zone. No row if there is none.
--
-- Definer: identity functions run as circle27_auth, which reads no app table.

create or replace function app.member_facts(p_user_id uuid)
returns table (campus_id text, tier text, time_zone text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text := (
    select directory.campus_id from app.user_campuses as directory where directory.user_id = p_user_id
  );
begin
  return query
  select users.campus_id, users.tier, campuses.time_zone
  from app.users
  inner join app.campuses on campuses.campus_id = v_campus_id
  where users.campus_id = v_campus_id
    and users.user_id = p_user_id;
end;
$function$;

comment on function app.member_facts(uuid) is
'What a token says of a member: campus, tier, time zone. No row if there is no such member.';

revoke all on function app.member_facts(uuid) from public;
grant execute on function app.member_facts(uuid) to circle27_auth;

-- source: db/functions/app/member_time_zone.sql
-- app.member_time_zone(p_user_id): the time zone of a member's campus, or null.
--
-- Definer: app.pre_request() runs as the request's role, which may not read the tables.

create or replace function app.member_time_zone(p_user_id uuid)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select campuses.time_zone
    from app.user_campuses as directory
    inner join app.campuses on campuses.campus_id = directory.campus_id
    where directory.user_id = p_user_id
  );
end;
$function$;

comment on function app.member_time_zone(uuid) is
'The time zone of a member''s campus, or null.';

revoke all on function app.member_time_zone(uuid) from public;
grant execute on function app.member_time_zone(uuid) to authenticated;

-- source: db/functions/app/next_version.sql
-- app.next_version(): the next version of a slot or an entry.
--
-- Take it after the lock is held: only then do versions grow in the order in which changes become visible.

create or replace function app.next_version()
returns bigint
language sql
volatile
as $function$
  select pg_catalog.nextval('app.version_seq')
$function$;

comment on function app.next_version() is
'The next version of a slot or an entry. Call it after the lock is held.';

revoke all on function app.next_version() from public;

-- source: db/functions/app/open_time_slots.sql
-- app.open_time_slots(p_now): open the slots of all campuses; returns how many were opened.
--
-- The dispatcher: it only lists the campuses, each one's slots are opened by a call that can run where the campus is.
-- In the order of the campus ids, as every other run, so that two runs never wait for each other in a circle.
--
-- Definer: the worker holds no right on the tables.

create or replace function app.open_time_slots(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now       timestamptz := coalesce(p_now, app.clock());
  v_campus_id text;
  v_count     integer := 0;
begin
  if v_now not between timestamptz '2000-01-01 00:00:00+00' and timestamptz '2199-12-31 00:00:00+00' then
    perform app.refuse('time_invalid');
  end if;

  for v_campus_id in
    select campuses.campus_id
    from app.campuses
    order by campuses.campus_id
  loop
    v_count := v_count + app.open_campus_slots(v_campus_id, v_now);
  end loop;

  return v_count;
end;
$function$;

comment on function app.open_time_slots(timestamptz) is
'Open the slots of all campuses for the days ahead of p_now (default: the app clock); returns how many. Refuses time_invalid.';

revoke all on function app.open_time_slots(timestamptz) from public;
grant execute on function app.open_time_slots(timestamptz) to circle27_worker;

-- source: db/functions/app/pre_request.sql
-- app.pre_request(): what PostgREST calls before each request, as the request's role.
--
-- Refuses a member's token that lacks exp, aud or a uuid as sub: later code may take auth.uid() for granted.
-- (PostgREST has checked the signature, and exp and aud where they are present.) Keys of anon and service_role
-- have neither sub nor aud; a service_role key must end some day, so it needs exp.
--
-- Sets TimeZone: instants without an offset are read in it, and answers are written in it. The token's `tz`,
-- else the zone of the member's campus, else UTC. A broken tz is refused: read in another zone than
-- the client's, "11:00" would silently be another slot.
--
-- Writes nothing: it runs in READ ONLY transactions, too. It is part of every call, so it does no more, and has no
-- settings of its own: it runs as the request's role, and could only harm that.

create or replace function app.pre_request()
returns void
language plpgsql
volatile
as $function$
declare
  v_claims    jsonb;
  v_time_zone text;
  v_valid     boolean := true;
begin
  begin
    v_claims := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_time_zone := v_claims ->> 'tz';

    if current_user = 'authenticated' then
      v_valid := coalesce(
        jsonb_typeof(v_claims -> 'exp') = 'number'
        and v_claims -> 'aud' not in ('null', '""', '[]', '{}')
        and jsonb_typeof(v_claims -> 'aud') in ('string', 'array')
        and v_claims ->> 'sub' ~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$'
        and jsonb_typeof(v_claims -> 'sub') = 'string'
        and coalesce(v_claims ->> 'session_id', v_claims ->> 'sub') ~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$',
        false
      );
    elsif current_user = 'service_role' then
      v_valid := coalesce(jsonb_typeof(v_claims -> 'exp') = 'number', false);
    end if;

    if v_time_zone is not null then
      -- Names of the IANA database only: PostgreSQL would take '+5' and 'XYZ3' as well.
      v_valid := v_valid and v_time_zone ~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]*){1,2})$';
    elsif v_valid and current_user = 'authenticated' then
      v_time_zone := app.member_time_zone((v_claims ->> 'sub')::uuid);
    end if;

    if v_valid then
      v_time_zone := set_config('TimeZone', coalesce(v_time_zone, 'UTC'), true);  -- a PERFORM would be a query
    end if;
  exception
    -- A zone that the server doesn't know; a text in the token that no PostgreSQL text can hold (a NUL).
    when data_exception then
      v_valid := false;
  end;

  if not v_valid then
    perform app.refuse('token_invalid');
  end if;
end;
$function$;

comment on function app.pre_request() is
'Before each request: refuses malformed tokens, sets TimeZone. Refuses token_invalid.';

revoke all on function app.pre_request() from public;
grant execute on function app.pre_request() to anon, authenticated, service_role;

-- source: db/functions/app/refuse.sql
-- app.refuse(p_slug): raise a refusal of the registry. The only place that raises.
--
-- SQLSTATE PTnnn becomes HTTP status nnn, MESSAGE and HINT go to people, DETAIL (the slug) to programs.
-- A slug that is not in the registry is our own mistake, and says so. Nothing of the input is ever repeated.
--
-- requires: app.error_registry

create or replace function app.refuse(p_slug text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_error record;
begin
  select registry.status, registry.message, registry.hint
  into v_error
  from app.error_registry() as registry
  where registry.slug = p_slug;

  if not found then
    raise exception 'A refusal that is not in app.error_registry() was raised'
      using errcode = 'internal_error', detail = 'unknown_slug', hint = 'Add the slug to app.error_registry()';
  end if;

  raise exception '%', v_error.message
    using errcode = 'PT' || v_error.status, detail = p_slug, hint = v_error.hint;
end;
$function$;

comment on function app.refuse(text) is
'Raise the refusal of this slug: SQLSTATE PTnnn, DETAIL the slug, HINT what to do next.';

revoke all on function app.refuse(text) from public;
grant execute on function app.refuse(text) to anon, authenticated, service_role, circle27_auth;

-- source: db/functions/app/register_user.sql
-- app.register_user(p_email, p_display_name): the member with this address, registered first if new.
--
-- The campus follows from the e-mail domain, matched whole. Repeatable, and safe beside itself: the unique key
-- on the address decides; who loses takes back its line in the directory. A name given later changes nothing.

create or replace function app.register_user(p_email text, p_display_name text default null)
returns table (campus_id text, user_id uuid, created boolean)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_email     text := lower(btrim(p_email));
  v_campus_id text;
  v_user_id   uuid;
begin
  if v_email is null or position('@' in v_email) = 0 then
    perform app.refuse('email_invalid');
  end if;

  select domains.campus_id
  into v_campus_id
  from app.campus_domains as domains
  where domains.domain = split_part(v_email, '@', -1);

  if not found then
    perform app.refuse('email_domain_unknown');
  end if;

  select users.user_id
  into v_user_id
  from app.users
  where users.campus_id = v_campus_id
    and users.email = v_email;

  if found then
    return query values (v_campus_id, v_user_id, false);
    return;
  end if;

  v_user_id := gen_random_uuid();
  insert into app.user_campuses (user_id, campus_id)
  values (v_user_id, v_campus_id);

  begin
    -- The address is no name to show to others, not even its first half.
    insert into app.users (campus_id, user_id, email, display_name)
    values (v_campus_id, v_user_id, v_email, coalesce(btrim(p_display_name), 'New member'))
    on conflict on constraint users_campus_id_email_key do nothing;
  exception
    when check_violation then
      if v_email !~ '^[a-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[a-z0-9.-]+$' or length(v_email) > 254 then
        perform app.refuse('email_invalid');
      end if;
      perform app.refuse('display_name_invalid');
  end;

  if not found then
    delete from app.user_campuses as directory where directory.user_id = v_user_id;

    select users.user_id
    into strict v_user_id
    from app.users
    where users.campus_id = v_campus_id
      and users.email = v_email;

    return query values (v_campus_id, v_user_id, false);
    return;
  end if;

  perform audit.record('user.registered', v_campus_id, v_user_id);
  return query values (v_campus_id, v_user_id, true);
end;
$function$;

comment on function app.register_user(text, text) is
'The member with this e-mail address, registered first if new. Refuses email_invalid, email_domain_unknown, display_name_invalid.';

revoke all on function app.register_user(text, text) from public;

-- source: db/functions/app/set_clock_offset.sql
-- app.set_clock_offset(p_offset): move the clock that slots follow; returns what it shows now.
--
-- The offset is kept in exact seconds: days and months would be added by each session's own time zone, and
-- two sessions would read two different times. The days that now lie ahead get their slots at once. Every campus hears of it: what its members' buttons say has changed.

create or replace function app.set_clock_offset(p_offset interval)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_real     timestamptz := clock_timestamp();
  v_offset   interval;
  v_now      timestamptz;
  v_campuses text[];
begin
  if p_offset is null or p_offset not between interval '-99 years' and interval '99 years' then
    perform app.refuse('clock_offset_invalid');
  end if;
  v_offset := make_interval(secs => extract(epoch from (v_real + p_offset) - v_real)::double precision);

  update app.clock_offset
  set time_offset = v_offset
  where clock_offset.only_row;
  v_now := v_real + v_offset;

  v_campuses := array(select campuses.campus_id from app.campuses order by campuses.campus_id);
  perform app.emit(moved.campus_id, 'campus:' || moved.campus_id, 'clock', jsonb_build_object('now', v_now))
  from unnest(v_campuses) as moved (campus_id);
  perform app.open_time_slots(v_now);
  perform audit.record('clock.set', null, null, null, jsonb_build_object('offset', v_offset));

  return v_now;
end;
$function$;

comment on function app.set_clock_offset(interval) is
'Move the clock that slots, deadlines and feedback follow. Refuses clock_offset_invalid, time_invalid.';

revoke all on function app.set_clock_offset(interval) from public;

-- source: db/functions/app/slot_instants.sql
-- app.slot_instants(p_time_zone, p_day, p_times): the instants of local times on one day, each once, in order.
--
-- Where two local times fall on the same instant (a missing one is moved), there is one.
--
-- requires: app.local_instant

create or replace function app.slot_instants(p_time_zone text, p_day date, p_times time[])
returns setof timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $function$
  select distinct app.local_instant(p_time_zone, p_day + times.at) as instant
  from unnest(p_times) as times (at)
  order by instant
$function$;

comment on function app.slot_instants(text, date, time[]) is
'The instants of local times on one day: a missing hour is moved as RFC 5545 does, a double one means the first.';

revoke all on function app.slot_instants(text, date, time[]) from public;

-- source: db/functions/app/open_campus_slots.sql
-- app.open_campus_slots(p_campus_id, p_now): open one campus's slots from today to open_days_ahead.
--
-- Only slots that could be joined at p_now: one whose deadline has passed would open closed. The worker passes
-- app.clock(); the local seed passes the morning of today, so that a demo shows the day's earlier slots, too. So the
-- event says what each slot is now, which then is not `open`.
--
-- Repeatable, and safe beside itself: the key decides who opens a slot, and rows are inserted in its order, so none
-- waits in a circle.
--
-- requires: app.slot_instants

create or replace function app.open_campus_slots(p_campus_id text, p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus app.campuses;
  v_opened timestamptz[];
  v_now    timestamptz;
begin
  select campuses.*
  into v_campus
  from app.campuses
  where campuses.campus_id = p_campus_id;

  if not found then
    perform app.refuse('campus_not_found');
  end if;

  with wanted as (
    select distinct instants.time_slot
    from generate_series(0, v_campus.open_days_ahead) as ahead (days)
    cross join lateral app.slot_instants(
      v_campus.time_zone, (p_now at time zone v_campus.time_zone)::date + ahead.days, v_campus.slot_times
    ) as instants (time_slot)
    where instants.time_slot - v_campus.deadline_lead > p_now
    order by instants.time_slot
  ),

  opened as (
    insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
    select
      p_campus_id,
      wanted.time_slot,
      wanted.time_slot - v_campus.deadline_lead,
      wanted.time_slot + v_campus.duration,
      app.next_version()
    from wanted
    on conflict on constraint time_slots_pkey do nothing
    returning time_slot
  )

  select array_agg(opened.time_slot order by opened.time_slot)
  into v_opened
  from opened;

  if v_opened is null then
    return 0;
  end if;

  v_now := app.clock();
  perform app.emit(
    p_campus_id,
    'campus:' || p_campus_id,
    'slot',
    jsonb_build_object(
      'timeSlot', slots.time_slot,
      'deadlineAt', slots.deadline_at,
      'endsAt', slots.ends_at,
      'slotStatus', app.slot_status(v_now, slots.deadline_at, slots.ends_at, slots.matched_at, slots.cancelled_at),
      'version', slots.version
    )
  )
  from unnest(v_opened) as opened (time_slot)
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot = opened.time_slot;
  perform audit.record('slots.opened', p_campus_id, null, null, jsonb_build_object('timeSlots', v_opened));
  return cardinality(v_opened);
end;
$function$;

comment on function app.open_campus_slots(text, timestamptz) is
'Open one campus''s slots from the day of p_now to open_days_ahead; returns how many. Refuses campus_not_found.';

revoke all on function app.open_campus_slots(text, timestamptz) from public;

-- source: db/functions/app/slot_status.sql
-- app.slot_status(...): where a slot is in its life, for everyone alike.
--
--   open -> matching -> matched -> ended, and from each of the first three: cancelled.
--
-- What is written down outweighs the clock: a matched slot never reopens, a cancelled one stays cancelled.

create or replace function app.slot_status(
  p_now timestamptz,
  p_deadline_at timestamptz,
  p_ends_at timestamptz,
  p_matched_at timestamptz,
  p_cancelled_at timestamptz
)
returns text
language sql
immutable
parallel safe
as $function$
  select case
    when p_cancelled_at is not null then 'cancelled'
    when p_now >= p_ends_at then 'ended'
    when p_matched_at is not null then 'matched'
    when p_now >= p_deadline_at then 'matching'
    else 'open'
  end
$function$;

comment on function app.slot_status(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) is
'Where a slot is in its life at p_now: open, matching, matched, ended or cancelled.';

revoke all on function app.slot_status(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) from public;

-- source: db/functions/app/slot_state.sql
-- app.slot_state(...): one slot as one member sees it: Method 7 and what the client needs around it.
--
-- Reads no table and no clock. What is written down outweighs the clock: to a slot that was matched or
-- cancelled the deadline has passed, whatever p_now says; and in a cancelled slot nobody is in a circle.
--
-- pending: on the list, the deadline has passed, the matching has not committed yet. The button says `past`
-- then, as Method 7 does; the client keeps the old one, disabled, and looks again at changesAt.
-- changesAt: when this button ends by itself; null when only an event can change it.
--
-- Plain SQL, so that it is inlined into the query, and one format(): this runs for each slot of each poll
-- (json_build_object() costs twice as much). STABLE and not more, for instants in JSON follow TimeZone.
--
-- requires: app.button_state
-- requires: app.slot_status

create or replace function app.slot_state(
  p_now timestamptz,
  p_time_zone text,
  p_time_slot timestamptz,
  p_deadline_at timestamptz,
  p_ends_at timestamptz,
  p_matched_at timestamptz,
  p_cancelled_at timestamptz,
  p_on_waitlist boolean,
  p_in_circle boolean,
  p_feedback_given boolean,
  p_version bigint
)
returns json
language sql
stable
parallel safe
as $function$
  select format(
    '%s, "timeSlot": %s, "deadlineAt": %s, "endsAt": %s, "slotStatus": "%s", "pending": %s, "changesAt": %s, "version": %s}',
    left(
      app.button_state(
        case when coalesce(p_matched_at, p_cancelled_at) is null then p_now else greatest(p_now, p_deadline_at) end,
        p_deadline_at,
        p_ends_at,
        p_time_zone,
        p_on_waitlist,
        p_in_circle and p_cancelled_at is null,
        p_feedback_given
      )::text,
      -1
    ),
    to_json(p_time_slot),
    to_json(p_deadline_at),
    to_json(p_ends_at),
    app.slot_status(p_now, p_deadline_at, p_ends_at, p_matched_at, p_cancelled_at),
    case
      when p_on_waitlist and app.slot_status(p_now, p_deadline_at, p_ends_at, p_matched_at, p_cancelled_at) = 'matching'
        then 'true'
      else 'false'
    end,
    coalesce(
      to_json(
        case app.slot_status(p_now, p_deadline_at, p_ends_at, p_matched_at, p_cancelled_at)
          when 'open' then p_deadline_at
          when 'matching' then case when p_on_waitlist then p_now + interval '2 seconds' end
          when 'matched' then case when p_in_circle then p_ends_at end
        end
      )::text,
      'null'
    ),
    p_version
  )::json
$function$;

comment on function app.slot_state(
  timestamptz, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean, boolean, bigint
) is
'One slot as one member sees it at p_now: the four keys of the button, timeSlot, deadlineAt, endsAt, slotStatus, pending, changesAt, version.';

revoke all on function app.slot_state(
  timestamptz, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean, boolean, bigint
) from public;

-- source: db/functions/app/button.sql
-- app.button(p_campus_id, p_user_id, p_time_slot, p_now): the button of one member and slot, as stored now.
--
-- Four keys, and no more: the seed's answer. Null if the campus has no such slot.
--
-- requires: app.slot_state

create or replace function app.button(p_campus_id text, p_user_id uuid, p_time_slot timestamptz, p_now timestamptz)
returns json
language plpgsql
stable
as $function$
declare
  v_state json;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select app.slot_state(
    p_now,
    campuses.time_zone,
    slots.time_slot,
    slots.deadline_at,
    slots.ends_at,
    slots.matched_at,
    slots.cancelled_at,
    entries.on_waitlist is true,
    members.in_circle is true,
    given.feedback is true,
    greatest(slots.version, entries.version)
  )
  into v_state
  from app.campuses
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot
  -- Each of the three by its primary key: `limit 1` keeps the planner from reading the member's whole past.
  left join lateral (
    select waitlist_entries.left_at is null as on_waitlist, waitlist_entries.version
    from app.waitlist_entries
    where waitlist_entries.campus_id = p_campus_id
      and waitlist_entries.time_slot = slots.time_slot
      and waitlist_entries.user_id = p_user_id
    limit 1
  ) as entries on true
  left join lateral (
    select circle_members.cancelled_at is null as in_circle
    from app.circle_members
    where circle_members.campus_id = p_campus_id
      and circle_members.time_slot = slots.time_slot
      and circle_members.user_id = p_user_id
    limit 1
  ) as members on true
  left join lateral (
    select true as feedback
    from app.feedback
    where feedback.campus_id = p_campus_id
      and feedback.time_slot = slots.time_slot
      and feedback.user_id = p_user_id
    limit 1
  ) as given on true
  where campuses.campus_id = p_campus_id;

  if v_state is null then
    return null;
  end if;

  return json_build_object(
    'buttonState', v_state -> 'buttonState',
    'buttonText', v_state -> 'buttonText',
    'middleText', v_state -> 'middleText',
    'isDisabled', v_state -> 'isDisabled'
  );
end;
$function$;

comment on function app.button(text, uuid, timestamptz, timestamptz) is
'The button of one member and slot as stored now: four keys, or null if there is no such slot. Refuses no_campus.';

revoke all on function app.button(text, uuid, timestamptz, timestamptz) from public;

-- source: db/functions/app/day_states.sql
-- app.day_states(p_campus_id, p_user_id, p_time_zone, p_day, p_now): all slots of one day as one member sees them.
--
-- The hottest query there is: one statement, each table entered once by its primary key. The day is the
-- campus's: from its midnight to the next one; null means the day of p_now there.
--
-- No settings of its own, for each costs microseconds at every call: who calls it pins search_path, and asks for
-- the generic plan (making a plan for each call's own values costs more than running it).
--
-- requires: app.day_start
-- requires: app.slot_state

create or replace function app.day_states(
  p_campus_id text,
  p_user_id uuid,
  p_time_zone text,
  p_day date,
  p_now timestamptz
)
returns json
language plpgsql
stable
as $function$
declare
  v_day   date := coalesce(p_day, (p_now at time zone p_time_zone)::pg_catalog.date);
  v_from  timestamptz := app.day_start(p_time_zone, v_day);
  v_to    timestamptz := app.day_start(p_time_zone, v_day + 1);
  v_slots json;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select json_agg(ordered.state)
  into v_slots
  from (
    select app.slot_state(
      p_now,
      p_time_zone,
      slots.time_slot,
      slots.deadline_at,
      slots.ends_at,
      slots.matched_at,
      slots.cancelled_at,
      entries.on_waitlist is true,
      members.in_circle is true,
      given.feedback is true,
      greatest(slots.version, entries.version)
    ) as state
    from app.time_slots as slots
    -- Each of the three by its primary key: `limit 1` keeps the planner from reading the member's whole past.
    left join lateral (
      select waitlist_entries.left_at is null as on_waitlist, waitlist_entries.version
      from app.waitlist_entries
      where waitlist_entries.campus_id = p_campus_id
        and waitlist_entries.time_slot = slots.time_slot
        and waitlist_entries.user_id = p_user_id
      limit 1
    ) as entries on true
    left join lateral (
      select circle_members.cancelled_at is null as in_circle
      from app.circle_members
      where circle_members.campus_id = p_campus_id
        and circle_members.time_slot = slots.time_slot
        and circle_members.user_id = p_user_id
      limit 1
    ) as members on true
    left join lateral (
      select true as feedback
      from app.feedback
      where feedback.campus_id = p_campus_id
        and feedback.time_slot = slots.time_slot
        and feedback.user_id = p_user_id
      limit 1
    ) as given on true
    where slots.campus_id = p_campus_id
      and slots.time_slot >= v_from
      and slots.time_slot < v_to
    -- The key's own order: an `order by` within json_agg() would sort, at every call.
    order by slots.time_slot
  ) as ordered;

  return coalesce(v_slots, '[]');
end;
$function$;

comment on function app.day_states(text, uuid, text, date, timestamptz) is
'All slots of one day as one member sees them, in order. Refuses no_campus.';

revoke all on function app.day_states(text, uuid, text, date, timestamptz) from public;

set local role circle27_auth;

-- source: db/functions/audit/record.sql
-- audit.record(p_action, p_campus_id, p_user_id, p_time_slot, p_details): write one line of the trail.
--
-- Who, as which role and from where it reads itself, so that no caller can leave them out. Real time.
-- A trusted server's key may name itself in `sub` by any text: only a uuid is somebody, and no other text gets in.
--
-- Definer: app functions run as circle27_owner, which may add to the trail through this and in no other way.

create or replace function audit.record(
  p_action text,
  p_campus_id text,
  p_user_id uuid default null,
  p_time_slot timestamptz default null,
  p_details jsonb default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_claims  jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  v_headers json := nullif(current_setting('request.headers', true), '')::json;
begin
  insert into audit.log (action, campus_id, user_id, time_slot, details, actor_id, actor_role, session_id, address)
  values (
    p_action,
    p_campus_id,
    p_user_id,
    p_time_slot,
    p_details,
    case
      when v_claims ->> 'sub' ~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then (v_claims ->> 'sub')::uuid
    end,
    coalesce(nullif(current_setting('role'), 'none'), session_user),
    left(v_claims ->> 'session_id', 64),
    -- The gateway sets it; what the client claims in X-Forwarded-For is not asked.
    left(v_headers ->> 'x-real-ip', 64)
  );
end;
$function$;

comment on function audit.record(text, text, uuid, timestamptz, jsonb) is
'Write one line of the trail: what, to which row; who, as which role and from where are added.';

revoke all on function audit.record(text, text, uuid, timestamptz, jsonb) from public;
grant execute on function audit.record(text, text, uuid, timestamptz, jsonb) to circle27_owner;

set local role circle27_owner;

-- source: db/functions/events/take.sql
-- events.take(p_limit): take the oldest events out of the outbox, in their order.
--
-- Take, publish, commit: a worker that dies in between gives them back. Two workers never get the same event
-- (skip locked); nothing is skipped for good, for there is no cursor.
--
-- Definer: the worker holds no right on the table.

create or replace function events.take(p_limit integer)
returns table (id bigint, campus_id text, channel text, event text, payload jsonb, emitted_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;

  return query
  with taken as (
    delete from events.outbox as queue
    using (
      select oldest.id, oldest.campus_id
      from events.outbox as oldest
      order by oldest.id
      limit p_limit
      for update skip locked
    ) as batch
    where queue.id = batch.id
      and queue.campus_id = batch.campus_id
    returning queue.id, queue.campus_id, queue.channel, queue.event, queue.payload, queue.emitted_at
  )
  select taken.id, taken.campus_id, taken.channel, taken.event, taken.payload, taken.emitted_at
  from taken
  order by taken.id;
end;
$function$;

comment on function events.take(integer) is
'Take up to p_limit of the oldest events out of the outbox, in order. Commit after telling them. Refuses limit_invalid.';

revoke all on function events.take(integer) from public;
grant execute on function events.take(integer) to circle27_worker;

set local role circle27_auth;

-- source: db/functions/identity/token_claims.sql
-- identity.token_claims(p_user_id, p_ttl): the claims of a member's access token. Who calls it signs them.
--
-- Real time: a token's life never follows the app clock.

create or replace function identity.token_claims(p_user_id uuid, p_ttl interval default interval '1 hour')
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_issued_at bigint := floor(extract(epoch from clock_timestamp()));
  v_member    record;
begin
  if p_ttl is null or p_ttl not between interval '1 second' and interval '366 days' then
    perform app.refuse('ttl_invalid');
  end if;

  select facts.campus_id, facts.tier, facts.time_zone
  into v_member
  from app.member_facts(p_user_id) as facts;

  if not found then
    perform app.refuse('member_not_found');
  end if;

  return jsonb_build_object(
    'aud', 'authenticated',
    'role', 'authenticated',
    'iat', v_issued_at,
    'exp', v_issued_at + floor(extract(epoch from p_ttl))::bigint,
    'sub', p_user_id,
    'session_id', gen_random_uuid(),
    'campus_id', v_member.campus_id,
    'tier', v_member.tier,
    'tz', v_member.time_zone
  );
end;
$function$;

comment on function identity.token_claims(uuid, interval) is
'The claims of a member''s access token, to be signed by the caller. Refuses member_not_found, ttl_invalid.';

revoke all on function identity.token_claims(uuid, interval) from public;

set local role circle27_owner;

-- source: db/policies/campus_domains.sql
-- app.campus_domains: requests read it through the functions only.

grant select on app.campus_domains to service_role;

-- source: db/policies/campuses.sql
-- app.campuses: requests read it through the functions only.

grant select on app.campuses to service_role;

-- source: db/policies/circle_members.sql
-- app.circle_members: a member reads their own places.

grant select on app.circle_members to authenticated, service_role;

create policy own_places on app.circle_members
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select auth.uid()));

-- source: db/policies/circles.sql
-- app.circles: a member reads the circles they are in.

grant select on app.circles to authenticated, service_role;

create policy circles_of_mine on app.circles
for select
to authenticated
-- Being in it: a place of the caller with the circle's own key. A place that was given up doesn't count.
using (
  exists (
    select 1
    from app.circle_members as places
    where
      places.campus_id = circles.campus_id
      and places.time_slot = circles.time_slot
      and places.circle_no = circles.circle_no
      and places.user_id = (select auth.uid())
      and places.cancelled_at is null
  )
);

-- source: db/policies/clock_offset.sql
-- app.clock_offset: the worker reads the clock; only app.set_clock_offset() moves it.

grant select on app.clock_offset to circle27_worker, service_role;

create policy read_the_clock on app.clock_offset
for select
to circle27_worker
-- One row, the same for all.
using (true);

-- source: db/policies/feedback.sql
-- app.feedback: a member reads what they said themselves; giving it goes through the function.

grant select on app.feedback to authenticated, service_role;

create policy own_feedback on app.feedback
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select auth.uid()));

-- source: db/policies/time_slots.sql
-- app.time_slots: what is public of it comes from api.time_slots(); requests read it through the functions only.

grant select on app.time_slots to service_role;

-- source: db/policies/user_campuses.sql
-- app.user_campuses: the directory; requests read it through the functions only.

grant select on app.user_campuses to service_role;

-- source: db/policies/users.sql
-- app.users: a member reads their own row, without the address: no column grant, so no policy can leak it.

grant select (campus_id, user_id, display_name, tier, attributes, created_at) on app.users to authenticated;
grant select on app.users to service_role;

create policy own_row on app.users
for select
to authenticated
using (user_id = (select auth.uid()));

-- source: db/policies/waitlist_entries.sql
-- app.waitlist_entries: a member reads their own entries; joining and leaving go through the functions.

grant select on app.waitlist_entries to authenticated, service_role;

create policy own_entries on app.waitlist_entries
for select
to authenticated
-- The member's own, by the index on user_id; the sub-select is evaluated once for a query, not for each row.
using (user_id = (select auth.uid()));

commit;
