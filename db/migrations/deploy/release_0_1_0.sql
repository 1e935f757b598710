-- Deploy circle27:release_0_1_0 to pg
-- Generated from db/functions and db/policies by `circle27 db snapshot`: edit those, not this file.

begin;

set local role circle27_owner;

-- source: db/functions/api/block_user.sql
-- api.block_user(p_user_id): never match the caller with this member again.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.block_user(p_user_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.block_user(v_member.campus_id, v_member.user_id, p_user_id);
end;
$function$;

comment on function api.block_user(uuid) is
'Never be matched with this member again.

Gives {userId, blocked}. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, block_oneself, member_not_found.';

revoke all on function api.block_user(uuid) from public;
grant execute on function api.block_user(uuid) to authenticated;

-- source: db/functions/api/cancel_place.sql
-- api.cancel_place(p_time_slot): "I can't come after all", between the deadline and the start.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.cancel_place(p_time_slot timestamptz)
returns json
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.cancel_place(v_member.campus_id, v_member.user_id, p_time_slot);
end;
$function$;

comment on function api.cancel_place(timestamptz) is
'Give up the caller''s place in a circle that is still to meet.

Gives the new button, as in get_button_states. The others are told at once; a circle that is too small then joins another. For good: a place is not given back. Before the deadline, use leave_waitlist. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, meeting_begun.';

revoke all on function api.cancel_place(timestamptz) from public;
grant execute on function api.cancel_place(timestamptz) to authenticated;

-- source: db/functions/api/cancel_time_slot.sql
-- api.cancel_time_slot(p_time_slot, p_campus_id): call a slot off. For operators, on their campus, and trusted servers.
--
-- Definer: no role of a request may write the tables.

create or replace function api.cancel_time_slot(p_time_slot timestamptz, p_campus_id text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'slot.cancel_denied', p_time_slot);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.cancel_time_slot(v_campus_id, p_time_slot);
end;
$function$;

comment on function api.cancel_time_slot(timestamptz, text) is
'Call a slot off, for good.

Gives what everyone may know of the slot. For operators, on their own campus, and service_role, which names one. Repeatable.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, slot_not_found, slot_ended.';

revoke all on function api.cancel_time_slot(timestamptz, text) from public;
grant execute on function api.cancel_time_slot(timestamptz, text) to authenticated, service_role;

-- source: db/functions/api/circle_members.sql
-- api.circle_members: who is in the circles that the caller is or was in.
--
-- security_invoker: row level security of app.circle_members decides, as the caller.

create or replace view api.circle_members
with (security_invoker = true)
as
select
  members.campus_id,
  members.time_slot,
  members.circle_no,
  members.user_id
from app.circle_members as members
where members.cancelled_at is null;

comment on view api.circle_members is
'Who is in the circles that the caller is or was in.

Names are in profiles.';
comment on column api.circle_members.campus_id is 'The campus.';
comment on column api.circle_members.time_slot is 'The slot.';
comment on column api.circle_members.circle_no is 'Number of the circle within the slot.';
comment on column api.circle_members.user_id is 'The member.';

grant select on api.circle_members to authenticated, service_role;

-- source: db/functions/api/circles.sql
-- api.circles: the circles that the caller is or was in.
--
-- The books: a circle of a slot that was cancelled afterwards stays in them. my_circle() is what holds.
--
-- security_invoker: row level security of app.circles decides, as the caller.

create or replace view api.circles
with (security_invoker = true)
as
select
  circles.campus_id,
  circles.time_slot,
  circles.circle_no,
  circles.spot_id
from app.circles;

comment on view api.circles is
'The circles that the caller is or was in.

my_circle() gives names and the spot''s name as well.';
comment on column api.circles.campus_id is 'The campus.';
comment on column api.circles.time_slot is 'The slot in which the circle meets.';
comment on column api.circles.circle_no is 'Number within the slot.';
comment on column api.circles.spot_id is 'Where it meets; null where the campus had no free spot.';

grant select on api.circles to authenticated, service_role;

-- source: db/functions/api/delete_my_account.sql
-- api.delete_my_account(): erase the caller's personal data, sign them out everywhere.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.delete_my_account()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.delete_member(v_member.campus_id, v_member.user_id);
end;
$function$;

comment on function api.delete_my_account() is
'Erase the caller''s personal data, and sign out everywhere.

Gives {deleted}. Gone are e-mail address, name, attributes and comments; open lists and circles ahead are left. Circles of the past stay, with a former member in them.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.delete_my_account() from public;
grant execute on function api.delete_my_account() to authenticated;

-- source: db/functions/api/explain_circle.sql
-- api.explain_circle(p_time_slot, p_circle_no, p_campus_id): why these people, in words. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the tables.

create or replace function api.explain_circle(
  p_time_slot timestamptz, p_circle_no integer, p_campus_id text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'circle.explain_denied', p_time_slot);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.explain_circle(v_campus_id, p_time_slot, p_circle_no);
end;
$function$;

comment on function api.explain_circle(timestamptz, integer, text) is
'Why these people sit together, in words.

Gives {campusId, timeSlot, circleNo, people: [{userId, displayName, place}], reasons: [sentences]}: what the matching knew when it formed the circle, and what has changed since. Never who blocks whom, who stayed away, or what was said in feedback. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, slot_not_found, not_matched_yet, inputs_not_kept, circle_not_found.';

revoke all on function api.explain_circle(timestamptz, integer, text) from public;
grant execute on function api.explain_circle(timestamptz, integer, text) to authenticated, service_role;

-- source: db/functions/api/export_my_data.sql
-- api.export_my_data(): all that is kept about the caller.
--
-- Definer: reads the tables as their owner, once the token has said who asks.

create or replace function api.export_my_data()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.export_member(v_member.campus_id, v_member.user_id);
end;
$function$;

comment on function api.export_my_data() is
'All that is kept about the caller.

Gives {profile, waitlistEntries, circles, feedback, reports, sessions, trail}; the profile has the e-mail address, sessions those that are over, too; of the trail the newest 10,000 lines: my_trail has the older ones.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.export_my_data() from public;
grant execute on function api.export_my_data() to authenticated;

-- source: db/functions/api/feedback.sql
-- api.feedback: what the caller has said about meetings. submit_feedback() is how to say it.
--
-- security_invoker: row level security of app.feedback decides, as the caller.

create or replace view api.feedback
with (security_invoker = true)
as
select
  feedback.campus_id,
  feedback.time_slot,
  feedback.user_id,
  feedback.rating,
  feedback.comment,
  feedback.created_at
from app.feedback;

comment on view api.feedback is
'What the caller has said about meetings.';
comment on column api.feedback.campus_id is 'The campus.';
comment on column api.feedback.time_slot is 'The slot.';
comment on column api.feedback.user_id is 'Who gave it.';
comment on column api.feedback.rating is 'From 1 to 5.';
comment on column api.feedback.comment is 'Free words.';
comment on column api.feedback.created_at is 'When it was given (app clock).';

grant select on api.feedback to authenticated, service_role;

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
    v_campus_id := app.current_campus_id();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
    if p_user_id is distinct from auth.uid() then
      perform app.refuse('not_yours');
    end if;
  end if;

  v_button := app.button(v_campus_id, p_user_id, p_time_slot, v_now);
  if v_button is null then
    perform app.refuse('slot_not_found');
  end if;

  -- Four keys, and no more: the seed's answer.
  return json_build_object(
    'buttonState', v_button -> 'buttonState',
    'buttonText', v_button -> 'buttonText',
    'middleText', v_button -> 'middleText',
    'isDisabled', v_button -> 'isDisabled'
  );
end;
$function$;

comment on function api.get_button_state(uuid, timestamptz, timestamptz) is
'The button of one slot.

Gives {buttonState, buttonText, middleText, isDisabled}. Members ask for themselves; p_current_time counts for service_role only.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, not_yours, member_not_found, slot_not_found.';

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
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
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
'Every slot of a day as the caller sees it.

By default today on the campus. Gives {now, slots}.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, day_invalid.';

revoke all on function api.get_button_states(date) from public;
grant execute on function api.get_button_states(date) to authenticated;

-- source: db/functions/api/get_online_users.sql
-- api.get_online_users(p_user_ids): which of the caller's circle-mates are online.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.get_online_users(p_user_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return jsonb_build_object('online', app.online_users(v_member.campus_id, v_member.user_id, p_user_ids));
end;
$function$;

comment on function api.get_online_users(uuid[]) is
'Which of the caller''s circle-mates are online.

Gives {online: [userId]}; of anybody else nothing is told.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.get_online_users(uuid[]) from public;
grant execute on function api.get_online_users(uuid[]) to authenticated;

-- source: db/functions/api/join_waitlist.sql
-- api.join_waitlist(p_time_slot): put the caller on the waitlist of one slot.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.join_waitlist(p_time_slot timestamptz)
returns json
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.join_waitlist(v_member.campus_id, v_member.user_id, p_time_slot);
end;
$function$;

comment on function api.join_waitlist(timestamptz) is
'Join the waitlist of one slot.

Gives the new button, as in get_button_states. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, deadline_passed, suspended.';

revoke all on function api.join_waitlist(timestamptz) from public;
grant execute on function api.join_waitlist(timestamptz) to authenticated;

-- source: db/functions/api/leave_waitlist.sql
-- api.leave_waitlist(p_time_slot): take the caller off the waitlist of one slot.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.leave_waitlist(p_time_slot timestamptz)
returns json
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.leave_waitlist(v_member.campus_id, v_member.user_id, p_time_slot);
end;
$function$;

comment on function api.leave_waitlist(timestamptz) is
'Leave the waitlist of one slot.

Gives the new button, as in get_button_states. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, deadline_passed.';

revoke all on function api.leave_waitlist(timestamptz) from public;
grant execute on function api.leave_waitlist(timestamptz) to authenticated;

-- source: db/functions/api/match_time_slot.sql
-- api.match_time_slot(p_campus_id, p_time_slot): form the circles of one slot. Trusted servers only.
--
-- Definer: no role of a request may write the tables.

create or replace function api.match_time_slot(p_campus_id text, p_time_slot timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return app.match_time_slot(p_campus_id, p_time_slot);
end;
$function$;

comment on function api.match_time_slot(text, timestamptz) is
'Form the circles of one slot, once.

Gives the report. For service_role. Repeatable.
Refuses no_campus, slot_not_found, slot_cancelled, deadline_not_reached, slot_ended.';

revoke all on function api.match_time_slot(text, timestamptz) from public;
grant execute on function api.match_time_slot(text, timestamptz) to service_role;

-- source: db/functions/api/my_circle.sql
-- api.my_circle(p_time_slot): whom the caller meets in one slot, and where.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.my_circle(p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.member_circle(v_member.campus_id, v_member.user_id, p_time_slot, app.clock());
end;
$function$;

comment on function api.my_circle(timestamptz) is
'Whom the caller meets in one slot, and where.

Gives {timeSlot, circleNo, spot: {spotId, name} or null, members: [{userId, displayName}]}.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle.';

revoke all on function api.my_circle(timestamptz) from public;
grant execute on function api.my_circle(timestamptz) to authenticated;

-- source: db/functions/api/my_profile.sql
-- api.my_profile(): the caller as they see themselves.
--
-- Definer: it reads the tables as their owner, once the token has said who asks.

create or replace function api.my_profile()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.profile(v_member.campus_id, v_member.user_id);
end;
$function$;

comment on function api.my_profile() is
'The caller as they see themselves.

Gives {userId, campusId, timeZone, displayName, tier, attributes, circleMail, suspendedUntil (null if not), blocked: [{userId, displayName}]}.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.my_profile() from public;
grant execute on function api.my_profile() to authenticated;

-- source: db/functions/api/my_sessions.sql
-- api.my_sessions(): where the caller is signed in.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.my_sessions()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return jsonb_build_object(
    'sessions',
    identity.member_sessions(v_member.user_id, (auth.jwt() ->> 'session_id')::uuid, clock_timestamp())
  );
end;
$function$;

comment on function api.my_sessions() is
'Where the caller is signed in.

Gives {sessions: [{sessionId, current, signedInAt, renewedAt, userAgent, address}]}, the newest first.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.my_sessions() from public;
grant execute on function api.my_sessions() to authenticated;

-- source: db/functions/api/my_trail.sql
-- api.my_trail(p_before, p_limit): what was done to the caller's rows, by whom, when and from where.
--
-- Definer: reaches what audit grants to its owner, and nothing else there.

create or replace function api.my_trail(p_before timestamptz default null, p_limit integer default 100)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;
  return jsonb_build_object(
    'trail', audit.member_trail(v_member.user_id, coalesce(p_before, 'infinity'), p_limit)
  );
end;
$function$;

comment on function api.my_trail(timestamptz, integer) is
'What was done to the caller''s rows, by whom, when and from where.

Gives {trail: [{at, action, timeSlot, details, old, new, by, address}]} before p_before (by default now), at most p_limit, the newest first.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, limit_invalid.';

revoke all on function api.my_trail(timestamptz, integer) from public;
grant execute on function api.my_trail(timestamptz, integer) to authenticated;

-- source: db/functions/api/open_stream.sql
-- api.open_stream(): authorise a stream of events. The gateway takes the connection over from here.
--
-- The answer is a header that only the gateway sees: which channels to hold the connection on. It is put together
-- from two uuids and a checked campus id, so nothing that a client can write gets into it.
--
-- The gateway says in headers which of its requests this is, and which of its processes holds it: with that the member is
-- online, until the gateway's log says that the request has ended. Who calls without them (the function as such, through
-- /rest/v1) opens no stream, and is not online.
--
-- Definer: reads the directory as its owner.

create or replace function api.open_stream()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id  text := app.current_campus_id();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  v_claims     jsonb := auth.jwt();
  v_session_id text := v_claims ->> 'session_id';
  v_headers    jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
begin
  if v_session_id is null or v_session_id !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
    perform app.refuse('session_missing');
  end if;

  if v_headers ? 'x-stream-id' then
    insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
    values (
      v_campus_id,
      v_headers ->> 'x-stream-id',
      auth.uid(),
      v_session_id::uuid,
      v_headers ->> 'x-stream-gateway',
      (v_headers ->> 'x-stream-process')::integer,
      to_timestamp(least((v_claims ->> 'exp')::double precision, 253370764800))
    )
    on conflict on constraint streams_pkey do nothing;  -- the gateway has asked again
    perform app.emit_presence(array[auth.uid()]);
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
'Authorise a stream of events on the member''s channels.

The gateway calls it, at /realtime/v1/stream.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, session_missing.';

revoke all on function api.open_stream() from public;
grant execute on function api.open_stream() to authenticated;

-- source: db/functions/api/operator_day.sql
-- api.operator_day(p_day, p_campus_id): a campus's day in numbers. For operators, on their campus, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the tables.

create or replace function api.operator_day(p_day date default null, p_campus_id text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'day.read_denied');
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.operator_day(v_campus_id, p_day, app.clock());
end;
$function$;

comment on function api.operator_day(date, text) is
'A day of the campus in numbers.

How lists fill, what the matching did, how the machinery does. By default today. Gives {now, campusId, timeZone, day, slots, outbox, limits}. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, campus_not_found, day_invalid.';

revoke all on function api.operator_day(date, text) from public;
grant execute on function api.operator_day(date, text) to authenticated, service_role;

-- source: db/functions/api/profiles.sql
-- api.profiles: names: the caller's own, and those of everyone with whom they are or were in a circle.
--
-- security_invoker: row level security of app.users decides, as the caller. Nothing but the name is here: an address
-- that is no column of it can't be filtered or ordered by either.

create or replace view api.profiles
with (security_invoker = true)
as
select
  users.campus_id,
  users.user_id,
  users.display_name
from app.users;

comment on view api.profiles is
'Names of the caller and of everyone with whom they are or were in a circle.

my_profile() tells more about oneself.';
comment on column api.profiles.campus_id is 'The campus.';
comment on column api.profiles.user_id is 'The member.';
comment on column api.profiles.display_name is 'The name that circle-mates see.';

grant select on api.profiles to authenticated, service_role;

-- source: db/functions/api/refresh_session.sql
-- api.refresh_session(p_refresh_token): new tokens for a session. Open to anon: the access token may have expired.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.refresh_session(p_refresh_token text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  return identity.refresh_session(p_refresh_token, clock_timestamp());
end;
$function$;

comment on function api.refresh_session(text) is
'New tokens for a session.

Gives what verify_login_code gives. The old refresh token is used up; one that comes back later ends the session.
Refuses call_not_plain, session_over, refresh_token_reused, login_unavailable, member_not_found.';

revoke all on function api.refresh_session(text) from public;
grant execute on function api.refresh_session(text) to anon, authenticated;

-- source: db/functions/api/replay_matching.sql
-- api.replay_matching(p_time_slot, p_campus_id): match a slot of the past again, on paper. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the tables.

create or replace function api.replay_matching(p_time_slot timestamptz, p_campus_id text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'slot.replay_denied', p_time_slot);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.replay_matching(v_campus_id, p_time_slot);
end;
$function$;

comment on function api.replay_matching(timestamptz, text) is
'Match a slot of the past again, on paper.

Gives {campusId, timeSlot, matchedAt, seed, people, same, seatedElsewhere, then and now: {circles, leftOut, repeatedPairs, repeatedWithinGap}}: whether today''s rules seat the same people together, given what was known then. Changes nothing. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, slot_not_found, not_matched_yet, inputs_not_kept.';

revoke all on function api.replay_matching(timestamptz, text) from public;
grant execute on function api.replay_matching(timestamptz, text) to authenticated, service_role;

-- source: db/functions/api/report_user.sql
-- api.report_user(p_time_slot, p_user_id, p_reason, p_comment): tell the operators about a circle-mate.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.report_user(
  p_time_slot timestamptz, p_user_id uuid, p_reason text, p_comment text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.report_user(v_member.campus_id, v_member.user_id, p_time_slot, p_user_id, p_reason, p_comment);
end;
$function$;

comment on function api.report_user(timestamptz, uuid, text, text) is
'Tell the operators about a circle-mate.

Gives {userId, timeSlot, reported}. p_reason: harassment, no_show, fake or other. Nobody else hears of it. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, report_invalid, not_a_mate, report_given.';

revoke all on function api.report_user(timestamptz, uuid, text, text) from public;
grant execute on function api.report_user(timestamptz, uuid, text, text) to authenticated;

-- source: db/functions/api/reports.sql
-- api.reports(p_before, p_limit, p_campus_id): what members told the operators. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: who has read, and who was denied, is in the trail.
--
-- Definer: nobody may read the table.

create or replace function api.reports(
  p_before timestamptz default null, p_limit integer default 100, p_campus_id text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
  v_reader_id uuid := case when not app.is_service() then auth.uid() end;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'reports.read_denied');
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  perform audit.record(
    'reports.read', v_campus_id, v_reader_id, null, jsonb_build_object('before', p_before, 'limit', p_limit)
  );
  return app.campus_reports(v_campus_id, p_before, p_limit, v_reader_id);
end;
$function$;

comment on function api.reports(timestamptz, integer, text) is
'What members told the operators.

Gives {reports: [{createdAt, timeSlot, by: {userId, displayName}, about: {userId, displayName, suspendedUntil}, reason, comment}]} before p_before (by default now), at most p_limit, the newest first. For operators, on their own campus, but for reports about themselves, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, limit_invalid.';

revoke all on function api.reports(timestamptz, integer, text) from public;
grant execute on function api.reports(timestamptz, integer, text) to authenticated, service_role;

-- source: db/functions/api/request_login_code.sql
-- api.request_login_code(p_email): send a login code to this address.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.request_login_code(p_email text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  return identity.request_login_code(p_email, clock_timestamp());
end;
$function$;

comment on function api.request_login_code(text) is
'Ask for a login code by e-mail.

Gives {email, codeLivesSeconds, askAgainAt}. The campus follows from the domain; who is no member yet becomes one by signing in. Repeatable.
Refuses call_not_plain, email_invalid, email_domain_unknown, login_codes_exhausted.';

revoke all on function api.request_login_code(text) from public;
grant execute on function api.request_login_code(text) to anon, authenticated;

-- source: db/functions/api/run_due_deadlines.sql
-- api.run_due_deadlines(): match every slot whose deadline has passed. Trusted servers only.
--
-- Definer: no role of a request may write the tables.

create or replace function api.run_due_deadlines()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return app.run_due_deadlines();
end;
$function$;

comment on function api.run_due_deadlines() is
'Match every slot whose deadline has passed.

Gives {matched, missed, failed, left, now, nextDeadlineAt}. For service_role; the worker does it by itself.';

revoke all on function api.run_due_deadlines() from public;
grant execute on function api.run_due_deadlines() to service_role;

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
'Move the clock that slots, deadlines and feedback follow.

Gives {now}. For service_role, in tests and demos.
Refuses clock_offset_invalid.';

revoke all on function api.set_clock_offset(interval) from public;
grant execute on function api.set_clock_offset(interval) to service_role;

-- source: db/functions/api/short_circles.sql
-- api.short_circles(p_campus_id): the circles ahead that are too small, and could not be merged. For operators, and trusted servers.
--
-- VOLATILE, though it only reads: a denied attempt is in the trail.
--
-- Definer: nobody may read the circles of others.

create or replace function api.short_circles(p_campus_id text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'circles.read_denied');
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;

  return app.short_circles(v_campus_id, app.clock());
end;
$function$;

comment on function api.short_circles(text) is
'The circles ahead that are too small.

Gives {circles: [as in my_circle]}: those with fewer members than the campus''s minimum, as places were given up and no other circle could take the rest. For operators, on their own campus, and service_role, which names one.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only.';

revoke all on function api.short_circles(text) from public;
grant execute on function api.short_circles(text) to authenticated, service_role;

-- source: db/functions/api/sign_out.sql
-- api.sign_out(): end the session of the token. (app.pre_request has seen to it that session_id is a uuid.)
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.sign_out()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member     record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  v_session_id text := auth.jwt() ->> 'session_id';
begin
  if v_session_id is null then
    perform app.refuse('session_missing');
  end if;
  return identity.sign_out(v_member.campus_id, v_member.user_id, v_session_id::uuid, clock_timestamp());
end;
$function$;

comment on function api.sign_out() is
'End the session of this token.

Gives {signedOut}. Its tokens count no more, and its stream ends.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, session_missing, not_yours.';

revoke all on function api.sign_out() from public;
grant execute on function api.sign_out() to authenticated;

-- source: db/functions/api/sign_out_everywhere.sql
-- api.sign_out_everywhere(): end all sessions of the caller.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.sign_out_everywhere()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return identity.sign_out_everywhere(
    v_member.campus_id, v_member.user_id, (auth.jwt() ->> 'session_id')::uuid, clock_timestamp()
  );
end;
$function$;

comment on function api.sign_out_everywhere() is
'End all sessions of the caller.

Gives {signedOut}. This one too.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, not_yours.';

revoke all on function api.sign_out_everywhere() from public;
grant execute on function api.sign_out_everywhere() to authenticated;

-- source: db/functions/api/submit_feedback.sql
-- api.submit_feedback(p_time_slot, p_rating, p_comment, p_about): say how a meeting was.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.submit_feedback(
  p_time_slot timestamptz,
  p_rating integer,
  p_comment text default null,
  p_about jsonb default null
)
returns json
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.submit_feedback(
    v_member.campus_id, v_member.user_id, p_time_slot, p_rating, p_comment, p_about
  );
end;
$function$;

comment on function api.submit_feedback(timestamptz, integer, text, jsonb) is
'Say how a meeting was, once.

Gives the new button, as in get_button_states. p_about: [{userId, meetAgain, noShow}]. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, feedback_not_open, rating_invalid, comment_invalid, about_invalid, feedback_given.';

revoke all on function api.submit_feedback(timestamptz, integer, text, jsonb) from public;
grant execute on function api.submit_feedback(timestamptz, integer, text, jsonb) to authenticated;

-- source: db/functions/api/suspend_user.sql
-- api.suspend_user(p_user_id, p_until, p_reason, p_campus_id): let a member join nothing until then.
--
-- For operators, on their campus, and trusted servers. A denied attempt is in the trail. Nobody judges their own case: an
-- operator who was suspended would else lift it.
--
-- Definer: no role of a request may write the tables.

create or replace function api.suspend_user(
  p_user_id uuid, p_until timestamptz, p_reason text, p_campus_id text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
  v_denied    jsonb := jsonb_build_object('userId', p_user_id);
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  -- Refuses not_signed_in, no_campus, account_deleted, wrong_campus.
  v_campus_id := app.operator_campus(p_campus_id, 'user.suspend_denied', null, v_denied);
  if v_campus_id is null then
    return app.denial('operators_only');
  end if;
  if not app.is_service() and p_user_id = auth.uid() then
    perform audit.record('user.suspend_denied', v_campus_id, p_user_id, null, v_denied);
    return app.denial('own_case');
  end if;

  return app.suspend_user(v_campus_id, p_user_id, p_until, p_reason);
end;
$function$;

comment on function api.suspend_user(uuid, timestamptz, text, text) is
'Let a member join nothing for a while.

Gives {userId, suspendedUntil}. Until p_until; null lifts it. They leave the lists and circles ahead, and can read p_reason. For operators, on their own campus, and service_role, which names one. Repeatable.
Refuses call_not_plain, not_signed_in, no_campus, account_deleted, wrong_campus, operators_only, own_case, suspension_invalid, member_not_found.';

revoke all on function api.suspend_user(uuid, timestamptz, text, text) from public;
grant execute on function api.suspend_user(uuid, timestamptz, text, text) to authenticated, service_role;

-- source: db/functions/api/time_slots.sql
-- api.time_slots(p_campus_id, p_day): the slots of a campus on one day. Public, the same for everyone, cacheable.
--
-- Instants are written in the campus's zone, not the caller's: one cached answer serves all. It may be kept for the
-- whole seconds before the next thing that the clock changes in it (so never past a deadline), and for ten at most.
--
-- Definer: anyone may ask, nobody may read the tables.
--
-- requires: app.slot_facts, app.day_start

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
    jsonb_agg(app.slot_facts(slots, v_now) order by slots.time_slot),
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
'The slots of a campus on one day.

By default today, there. Gives {campusId, timeZone, day, slots}. Public and cacheable.
Refuses campus_not_found, day_invalid.';

revoke all on function api.time_slots(text, date) from public;
grant execute on function api.time_slots(text, date) to anon, authenticated, service_role;

-- source: db/functions/api/unblock_user.sql
-- api.unblock_user(p_user_id): take a block of the caller back.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.unblock_user(p_user_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.unblock_user(v_member.campus_id, v_member.user_id, p_user_id);
end;
$function$;

comment on function api.unblock_user(uuid) is
'Take a block back.

Gives {userId, blocked}. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function api.unblock_user(uuid) from public;
grant execute on function api.unblock_user(uuid) to authenticated;

-- source: db/functions/api/update_profile.sql
-- api.update_profile(p_display_name, p_attributes, p_circle_mail): change what a member may change of themselves.
--
-- Definer: members hold no right to write to a table; this function is their only way in.

create or replace function api.update_profile(
  p_display_name text default null, p_attributes jsonb default null, p_circle_mail boolean default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
begin
  return app.update_profile(v_member.campus_id, v_member.user_id, p_display_name, p_attributes, p_circle_mail);
end;
$function$;

comment on function api.update_profile(text, jsonb, boolean) is
'Change the caller''s display name, attributes and mails about circles.

What is null stays as it is; p_circle_mail false: no mails. Gives the profile. Repeatable.
Refuses not_signed_in, no_campus, account_deleted, wrong_campus, display_name_invalid, attributes_invalid, member_not_found.';

revoke all on function api.update_profile(text, jsonb, boolean) from public;
grant execute on function api.update_profile(text, jsonb, boolean) to authenticated;

-- source: db/functions/api/verify_login_code.sql
-- api.verify_login_code(p_email, p_code): sign in.
--
-- Definer: reaches what identity grants to its owner, and nothing else there.

create or replace function api.verify_login_code(p_email text, p_code text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.require_plain_call();  -- refuses call_not_plain
  return identity.verify_login_code(p_email, p_code, clock_timestamp());
end;
$function$;

comment on function api.verify_login_code(text, text) is
'Sign in with the code that came by e-mail.

Gives {accessToken, tokenType, expiresIn, expiresAt, refreshToken, sessionId, userId, campusId, timeZone}. Repeatable for ten seconds.
Refuses call_not_plain, login_code_wrong, email_domain_unknown, login_unavailable.';

revoke all on function api.verify_login_code(text, text) from public;
grant execute on function api.verify_login_code(text, text) to anon, authenticated;

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

-- source: db/functions/app/add_meeting_spot.sql
-- app.add_meeting_spot(p_campus_id, p_spot_id, p_name): add a place where circles meet, or give it a new name.
--
-- Repeatable. A spot that was closed is in use again.

create or replace function app.add_meeting_spot(p_campus_id text, p_spot_id text, p_name text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if not exists (select from app.campuses where campuses.campus_id = p_campus_id) then
    perform app.refuse('campus_not_found');
  end if;

  begin
    insert into app.meeting_spots as spots (campus_id, spot_id, name)
    values (p_campus_id, p_spot_id, btrim(p_name))
    on conflict on constraint meeting_spots_pkey do update
    set name = excluded.name, closed_at = null
    where (spots.name, spots.closed_at is null) is distinct from (excluded.name, true);
  exception
    when check_violation or not_null_violation then
      perform app.refuse('spot_invalid');
  end;

  if found then
    perform audit.record(
      'spot.added', p_campus_id, null, null, jsonb_build_object('spotId', p_spot_id, 'name', btrim(p_name))
    );
  end if;
  return p_spot_id;
end;
$function$;

comment on function app.add_meeting_spot(text, text, text) is
'Add a place where circles meet, or give it a new name. Refuses campus_not_found, spot_invalid.';

revoke all on function app.add_meeting_spot(text, text, text) from public;

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
'Whether this database can serve and write.

Gives {ready, version}.
Refuses not_ready.';

revoke all on function api.ready() from public;
grant execute on function api.ready() to anon, authenticated, service_role;

-- source: db/functions/app/block_user.sql
-- app.block_user(p_campus_id, p_user_id, p_blocked_id): never match these two again, whichever of them blocks.
--
-- Waits for a matching of the campus that is under way: after it was answered, no circle forms with both in it. One that
-- was formed before stays. The other is never told. Repeatable.

create or replace function app.block_user(p_campus_id text, p_user_id uuid, p_blocked_id uuid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_blocked_id = p_user_id then
    perform app.refuse('block_oneself');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted
  perform pg_advisory_xact_lock_shared(app.lock_key('pairs', p_campus_id));

  if not exists (
    select
    from app.users
    where users.campus_id = p_campus_id
      and users.user_id = p_blocked_id
  ) then
    perform app.refuse('member_not_found');
  end if;

  insert into app.blocks (campus_id, user_id, blocked_id)
  values (p_campus_id, p_user_id, p_blocked_id)
  on conflict on constraint blocks_pkey do nothing;
  if found then
    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'block', jsonb_build_object('userId', p_blocked_id, 'blocked', true)
    );
    perform audit.record('user.blocked', p_campus_id, p_user_id, null, jsonb_build_object('blockedId', p_blocked_id));
  end if;

  return jsonb_build_object('userId', p_blocked_id, 'blocked', true);
end;
$function$;

comment on function app.block_user(text, uuid, uuid) is
'Never match these two again: {userId, blocked}. Refuses no_campus, account_deleted, block_oneself, member_not_found.';

revoke all on function app.block_user(text, uuid, uuid) from public;

-- source: db/functions/app/campus_reports.sql
-- app.campus_reports(p_campus_id, p_before, p_limit, p_reader_id): what members of a campus told its operators, the newest first.
--
-- Not what was told about who reads: an operator is a member, too, and the reported never learn who reported them.

create or replace function app.campus_reports(
  p_campus_id text, p_before timestamptz, p_limit integer, p_reader_id uuid default null
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;

  return jsonb_build_object('reports', coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'createdAt', told.created_at,
          'timeSlot', told.time_slot,
          'by', jsonb_build_object('userId', told.user_id, 'displayName', tellers.display_name),
          'about', jsonb_build_object(
            'userId', told.reported_id,
            'displayName', others.display_name,
            'suspendedUntil', directory.suspended_until
          ),
          'reason', told.reason,
          'comment', told.comment
        )
        order by told.created_at desc, told.user_id, told.reported_id
      )
      from (
        select *
        from app.reports
        where reports.campus_id = p_campus_id
          and reports.created_at < coalesce(p_before, 'infinity')
          and reports.reported_id is distinct from p_reader_id
        order by reports.created_at desc, reports.user_id, reports.reported_id
        limit p_limit
      ) as told
      inner join app.users as tellers on tellers.campus_id = p_campus_id and tellers.user_id = told.user_id
      inner join app.users as others on others.campus_id = p_campus_id and others.user_id = told.reported_id
      inner join app.user_campuses as directory on directory.user_id = told.reported_id
    ),
    '[]'
  ));
end;
$function$;

comment on function app.campus_reports(text, timestamptz, integer, uuid) is
'What members of a campus told its operators, but for what was told about p_reader_id, the newest first: {reports: [{createdAt, timeSlot, by: {userId, displayName}, about: {userId, displayName, suspendedUntil}, reason, comment}]}. Refuses no_campus, limit_invalid.';

revoke all on function app.campus_reports(text, timestamptz, integer, uuid) from public;

-- source: db/functions/app/cancel_place.sql
-- app.cancel_place(p_campus_id, p_user_id, p_time_slot): "I can't come after all", between the deadline and the start.
--
-- Before the deadline there is no place yet, only the list (app.leave_waitlist()); from the start on who is not there stayed
-- away. The button says `confirmed` throughout, for Method 7 has no other word: so this is a call of its own.
--
-- The locks in their order, and the clock after the last. Who has no place to give up never waits for the pairs.
-- Repeatable, at any time: who gave it up in time gets their button, and nothing is written.

create or replace function app.cancel_place(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns json
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot app.time_slots;
  v_now  timestamptz := app.clock();
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  perform app.lock_member(p_user_id);  -- refuses account_deleted
  perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, p_time_slot));

  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses slot_not_found, slot_cancelled

  if not exists (
    select
    from app.circle_members as places
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = p_user_id
      and places.cancelled_at is not null
  ) then
    perform app.own_circle_no(p_campus_id, p_user_id, v_slot, v_now);  -- refuses who is in none
    perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
    v_now := app.clock();
    if v_now >= p_time_slot then
      perform app.refuse('meeting_begun');
    end if;
    perform app.leave_circle(p_campus_id, p_user_id, p_time_slot, v_now);
  end if;

  return app.button(p_campus_id, p_user_id, p_time_slot, v_now);
end;
$function$;

comment on function app.cancel_place(text, uuid, timestamptz) is
'Give up a member''s place in a circle that is still to meet; returns the new button. Refuses no_campus, account_deleted, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, meeting_begun.';

revoke all on function app.cancel_place(text, uuid, timestamptz) from public;

-- source: db/functions/app/circle_count.sql
-- app.circle_count(p_people, p_size_min, p_size_target, p_size_max): how many circles so many people make.
--
-- The people divided by the target, rounded, within the bounds; null if the people can't be split into
-- circles between the bounds at all (two people; or five, where every circle has exactly four).

create or replace function app.circle_count(
  p_people integer,
  p_size_min integer,
  p_size_target integer,
  p_size_max integer
)
returns integer
language sql
immutable
parallel safe
as $function$
  select case
    when (p_people + p_size_max - 1) / p_size_max between 1 and p_people / p_size_min then
      least(
        greatest((p_people + p_size_target / 2) / p_size_target, (p_people + p_size_max - 1) / p_size_max),
        p_people / p_size_min
      )
  end
$function$;

comment on function app.circle_count(integer, integer, integer, integer) is
'How many circles so many people make; null if no split into the allowed sizes exists.';

revoke all on function app.circle_count(integer, integer, integer, integer) from public;

-- source: db/functions/app/circle_facts.sql
-- app.circle_facts(p_campus_id, p_time_slot, p_circle_no): circles as their members see them: one, or all of a slot.
--
-- Names and ids of those who come, and the spot; never an e-mail address. In the order of names, not of any number. And
-- whether they are fewer than the campus wants: after places were given up.
--
-- One pass over the slot's places, grouped: at the matching all circles are asked for at once. Names by the primary key
-- (`limit 1` leaves no other way), as the planner knows nothing of rows that were written a moment ago. A plan for each
-- call, because one circle and all circles want different ones.

create or replace function app.circle_facts(
  p_campus_id text,
  p_time_slot timestamptz,
  p_circle_no integer default null
)
returns table (circle_no integer, circle jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_size_min integer := (select campuses.size_min from app.campuses where campuses.campus_id = p_campus_id);
begin
  return query
  select
    seated.circle_no,
    jsonb_build_object(
      'timeSlot', p_time_slot,
      'circleNo', seated.circle_no,
      'spot', (
        select jsonb_build_object('spotId', spots.spot_id, 'name', spots.name)
        from app.circles
        inner join app.meeting_spots as spots
          on spots.campus_id = p_campus_id
          and spots.spot_id = circles.spot_id
        where circles.campus_id = p_campus_id
          and circles.time_slot = p_time_slot
          and circles.circle_no = seated.circle_no
      ),
      'members', seated.members,
      'belowMinimum', jsonb_array_length(seated.members) < v_size_min
    )
  from (
    select
      places.circle_no,
      jsonb_agg(
        jsonb_build_object('userId', places.user_id, 'displayName', names.display_name)
        order by names.display_name, places.user_id
      ) as members
    from app.circle_members as places
    cross join lateral (
      select users.display_name
      from app.users
      where users.campus_id = p_campus_id
        and users.user_id = places.user_id
      limit 1
    ) as names
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and (p_circle_no is null or places.circle_no = p_circle_no)
      and places.cancelled_at is null
    group by places.circle_no
  ) as seated;
end;
$function$;

comment on function app.circle_facts(text, timestamptz, integer) is
'Circles as their members see them, one or all of a slot: {timeSlot, circleNo, spot: {spotId, name} or null, members: [{userId, displayName}], belowMinimum}.';

revoke all on function app.circle_facts(text, timestamptz, integer) from public;

-- source: db/functions/app/circle_mail.sql
-- app.circle_mail(p_campus_id, p_user_id, p_time_slot): what a mail tells a member about their circle, as it is now.
--
-- `event` is for the calendar: the same uid at every change, and a sequence that grows with each; times in UTC, as RFC 5545
-- wants them. The rest is for people: the time as it is on the campus, who else comes, where. Null where there is nothing to
-- tell: no place, no such member any more, or one who wants no mail.
--
-- Definer: the identity functions, which take the mail, call it as circle27_auth, and read no table of the app.

create or replace function app.circle_mail(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return (
    select jsonb_build_object(
      'event', jsonb_build_object(
        'uid', format('%s-%s@%s.circle27', extract(epoch from p_time_slot)::bigint, p_user_id, p_campus_id),
        'sequence', places.changes_count + case when slots.cancelled_at is null then 0 else 1 end,
        'status', case when coalesce(places.cancelled_at, slots.cancelled_at) is null then 'CONFIRMED' else 'CANCELLED' end,
        'startsAt', p_time_slot,
        'endsAt', slots.ends_at
      ),
      'slotCancelled', slots.cancelled_at is not null,
      'day', to_char(p_time_slot at time zone campuses.time_zone, 'FMDay, FMDD FMMonth'),
      'hour', app.hour_text(p_time_slot at time zone campuses.time_zone),
      'spot', circles.circle -> 'spot' -> 'name',
      'belowMinimum', coalesce(circles.circle -> 'belowMinimum', 'false'),
      'mates', coalesce(
        (
          select jsonb_agg(members.member -> 'displayName' order by members.number)
          from jsonb_array_elements(circles.circle -> 'members') with ordinality as members (member, number)
          where members.member ->> 'userId' <> p_user_id::text
        ),
        '[]'
      )
    )
    from app.circle_members as places
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
    inner join app.campuses on campuses.campus_id = p_campus_id
    inner join app.users
      on users.campus_id = p_campus_id
      and users.user_id = p_user_id
      and users.circle_mail
    inner join app.user_campuses as directory
      on directory.user_id = p_user_id
      and directory.closed_at is null
    -- Who has given up the place learns no more about the circle.
    left join lateral app.circle_facts(p_campus_id, p_time_slot, places.circle_no) as circles
      on places.cancelled_at is null
      and slots.cancelled_at is null
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = p_user_id
  );
end;
$function$;

comment on function app.circle_mail(text, uuid, timestamptz) is
'What a mail tells a member about their circle: {event: {uid, sequence, status: CONFIRMED or CANCELLED, startsAt, endsAt}, slotCancelled, day, hour, spot or null, belowMinimum, mates: [name]}; null where there is nothing to tell. Refuses no_campus.';

revoke all on function app.circle_mail(text, uuid, timestamptz) from public;
grant execute on function app.circle_mail(text, uuid, timestamptz) to circle27_auth;

-- source: db/functions/app/circle_people.sql
-- app.circle_people(p_campus_id, p_time_slot, p_circle_nos): who is in these circles: no place that was given up.
--
-- By the index on circles, each number for itself (`any()` would read the whole slot).

create or replace function app.circle_people(p_campus_id text, p_time_slot timestamptz, p_circle_nos integer[])
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select places.user_id
    from unnest(p_circle_nos) as wanted (circle_no)
    inner join app.circle_members as places
      on places.circle_no = wanted.circle_no
      and places.time_slot = p_time_slot
      and places.campus_id = p_campus_id
    where places.cancelled_at is null
    order by places.user_id
  );
end;
$function$;

comment on function app.circle_people(text, timestamptz, integer[]) is
'The members of these circles of one slot, in the order of their ids.';

revoke all on function app.circle_people(text, timestamptz, integer[]) from public;

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

-- source: db/functions/app/counted_meetings.sql
-- app.counted_meetings(p_campus_id, p_user_a, p_user_b): how often two members have met, by the books. No row if never.

create or replace function app.counted_meetings(p_campus_id text, p_user_a uuid, p_user_b uuid)
returns table (meetings_count integer, last_met_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select count(*)::integer, max(ones.time_slot)
  from app.circle_members as ones
  inner join app.circle_members as others
    on others.campus_id = p_campus_id
    and others.time_slot = ones.time_slot
    and others.user_id = p_user_b
    and others.circle_no = ones.circle_no
    and others.cancelled_at is null
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot = ones.time_slot
    and slots.cancelled_at is null
  where ones.campus_id = p_campus_id
    and ones.user_id = p_user_a
    and ones.cancelled_at is null
  having count(*) > 0;
end;
$function$;

comment on function app.counted_meetings(text, uuid, uuid) is
'How often and when last two members have met, by the circles of slots that were not cancelled. No row if never.';

revoke all on function app.counted_meetings(text, uuid, uuid) from public;

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
'The campus of the member that the token names. Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function app.current_campus_id() from public;

-- source: db/functions/app/current_member.sql
-- app.current_member(): the member that the token names: user_id, campus_id, the campus's time_zone.
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
  v_claims    jsonb := auth.jwt();
  v_closed_at timestamptz;
begin
  if v_claims ->> 'sub' is null then
    perform app.refuse('not_signed_in');
  end if;

  select directory.user_id, directory.campus_id, campuses.time_zone, directory.closed_at
  into current_member.user_id, current_member.campus_id, current_member.time_zone, v_closed_at
  from app.user_campuses as directory
  inner join app.campuses on campuses.campus_id = directory.campus_id
  where directory.user_id = (v_claims ->> 'sub')::pg_catalog.uuid;

  if current_member.campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if v_closed_at is not null then
    perform app.refuse('account_deleted');
  end if;
  if v_claims ->> 'campus_id' <> current_member.campus_id then
    perform app.refuse('wrong_campus');
  end if;
end;
$function$;

comment on function app.current_member() is
'The member that the token names, with the campus. Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function app.current_member() from public;

-- source: db/functions/app/delete_member.sql
-- app.delete_member(p_campus_id, p_user_id): erase what is personal, keep what happened. Repeatable.
--
-- Gone: address, name, attributes, tier, comments, codes and mail, the sessions' clients and addresses, old values beside
-- the trail. Kept: that somebody was on a list, in a circle, gave a rating, blocked, was blocked; what was reported, for the
-- safety of others; and the trail, until its year is dropped. The circles of others stay whole, and who comes back with the
-- same address is the same member, behind the same walls.
--
-- Leaves the lists that are not matched yet and the circles that are still to meet. A list that is being matched at this
-- moment is waited for. The row of app.users comes late: its new address locks out whoever refers to it.

create or replace function app.delete_member(p_campus_id text, p_user_id uuid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_email     text;
  v_closed_at timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  perform pg_advisory_xact_lock(app.lock_key('member', p_user_id::text));

  select users.email, directory.closed_at
  into v_email, v_closed_at
  from app.users
  inner join app.user_campuses as directory on directory.user_id = p_user_id
  where users.campus_id = p_campus_id
    and users.user_id = p_user_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;

  -- The address of who is gone stands for another one: to erase it again would make the member a stranger.
  if v_closed_at is null then
    perform app.leave_ahead(p_campus_id, p_user_id);

    update app.feedback
    set comment = null
    where feedback.campus_id = p_campus_id
      and feedback.user_id = p_user_id
      and feedback.comment is not null;

    perform audit.record('user.deleted', p_campus_id, p_user_id);
    perform identity.erase(p_user_id, v_email, clock_timestamp());
    perform audit.erase(p_user_id);

    update app.users
    set email = identity.address_pseudonym(v_email),
      display_name = 'Former member',
      tier = 'user',
      attributes = '{}',
      circle_mail = true
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id;

    update app.user_campuses as directory
    set closed_at = clock_timestamp()
    where directory.user_id = p_user_id;
  end if;

  return jsonb_build_object('deleted', true);
end;
$function$;

comment on function app.delete_member(text, uuid) is
'Erase what is personal of a member, keep what happened: {deleted}. Refuses no_campus, member_not_found.';

revoke all on function app.delete_member(text, uuid) from public;

-- source: db/functions/app/draw_circles.sql
-- app.draw_circles(p_campus, p_people, p_time_slot, p_seed): who of these people sits with whom; reads walls and the past.
--
-- Turns people into numbers for app.form_circles(), and what is known of them into costs (app.pair_costs()). A wall parts
-- two people whichever of them put it up. Of a slot that was matched it knows what was known then: `inputs` as stored, and
-- meetings and wishes from the books. So the same slot and seed give the same circles.
--
-- Numbers are dealt so that people who are alike go to different circles: those with no-shows first, then by the attribute
-- to mix, then in the order of p_people, which is drawn.
--
-- Gives the circle number of each, null for who is left out; `inputs`, to be stored; and `quality`: what it costs, by
-- component; steps; and a lower bound of the repeats: whoever has met so many of the others that too few strangers are left
-- must meet somebody again.
--
-- A plan for each call: the cached one takes the list for ten people, and looks up every two of them (measured: from the
-- sixth matching of a session on, 19 s instead of 0.5 s for 2,500 people). Memory to join 50,000 people with a million pairs.

create or replace function app.draw_circles(
  p_campus app.campuses,
  p_people uuid[],
  p_time_slot timestamptz,
  p_seed bigint,
  out circles integer[],
  out quality jsonb,
  out inputs jsonb
)
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
as $function$
declare
  c_began  constant timestamptz := clock_timestamp();
  c_weight constant jsonb := app.match_weights();
  c_few    constant integer := 1000;  -- so many may be annealed, which needs all pairs
  c_help   constant integer := 64;    -- so many others may change places, at least
  v_order  integer[];  -- number -> place in p_people
  v_ids    uuid[];
  v_missed integer[];
  v_risk   integer[];
  v_class  integer[];
  v_repeats integer[];
  v_wall_a integer[];
  v_wall_b integer[];
  v_pair_a integer[];
  v_pair_b integer[];
  v_repeat integer[];  -- what the pair costs for having met, ...
  v_fair   integer[];  -- ... for the repeats that the two had of late, ...
  v_said   integer[];  -- ... and for what they said
  v_cost   integer[];
  v_met    integer[];  -- which of the pairs sit together
  v_pool   integer[];  -- who may change places; null: everybody
  v_start  integer[];  -- a circle for each, before anybody has changed places; 0: left out
  v_seats  integer[];
  v_steps  integer;
begin
  inputs := coalesce(
    (
      select slots.match_inputs
      from app.time_slots as slots
      where slots.campus_id = p_campus.campus_id
        and slots.time_slot = p_time_slot
    ),
    app.matching_inputs(p_campus, p_people, p_time_slot)
  );

  with facts as (
    select
      people.user_id,
      people.place::integer as place,
      people.missed::integer as missed,
      people.risk::integer as risk,
      people.repeats::integer as repeats,
      people.class::integer as class
    from rows from (
      unnest(p_people),
      jsonb_array_elements(inputs -> 'missed'),
      jsonb_array_elements(inputs -> 'risk'),
      jsonb_array_elements(inputs -> 'repeats'),
      jsonb_array_elements(inputs -> 'class')
    ) with ordinality as people (user_id, missed, risk, repeats, class, place)
  ),

  numbered as (
    select
      facts.*,
      row_number() over (
        order by facts.risk desc, hashtextextended(facts.class::text, p_seed), facts.class, facts.place
      ) as number
    from facts
  )

  select
    coalesce(array_agg(numbered.place order by numbered.number), '{}'),
    coalesce(array_agg(numbered.user_id order by numbered.number), '{}'),
    coalesce(array_agg(numbered.missed order by numbered.number), '{}'),
    coalesce(array_agg(numbered.risk order by numbered.number), '{}'),
    coalesce(array_agg(numbered.repeats order by numbered.number), '{}'),
    coalesce(array_agg(numbered.class order by numbered.number), '{}')
  into v_order, v_ids, v_missed, v_risk, v_repeats, v_class
  from numbered;

  with numbers as (
    select listed.place, listed.number::integer as number
    from unnest(v_order) with ordinality as listed (place, number)
  )

  select
    coalesce(array_agg(ones.number order by ones.number, others.number), '{}'),
    coalesce(array_agg(others.number order by ones.number, others.number), '{}')
  into v_wall_a, v_wall_b
  from jsonb_array_elements(inputs -> 'walls') as walls (pair)
  inner join numbers as ones on ones.place = (walls.pair ->> 0)::integer
  inner join numbers as others on others.place = (walls.pair ->> 1)::integer;

  v_start := app.seat_people(
    cardinality(p_people), p_campus.size_min, p_campus.size_target, p_campus.size_max, v_wall_a, v_wall_b, v_missed, p_seed
  );

  -- Among many, first only those change places who met somebody that they were seated with, and as many drawn to help.
  if cardinality(p_people) > c_few then
    with met as materialized (
      select sides.person
      from app.known_meetings(p_campus.campus_id, v_ids, p_time_slot, p_seats => v_start) as meetings
      cross join lateral (values (meetings.a), (meetings.b)) as sides (person)
    )

    select array_agg(pool.person order by pool.person)
    into v_pool
    from (
      select met.person
      from met
      union
      select 1 + (hashint8extended(draws.draw, p_seed) & 9223372036854775807) % cardinality(p_people)
      from generate_series(1, greatest(c_help, (select count(*) from met))) as draws (draw)
    ) as pool (person)
    having count(*) < cardinality(p_people) / 4;  -- else it is no less work
  end if;

  loop
    select
      coalesce(array_agg(costs.a), '{}'),
      coalesce(array_agg(costs.b), '{}'),
      coalesce(array_agg(costs.repeat), '{}'),
      coalesce(array_agg(costs.fair), '{}'),
      coalesce(array_agg(costs.said), '{}'),
      coalesce(array_agg(costs.repeat + costs.fair + costs.said), '{}')
    into v_pair_a, v_pair_b, v_repeat, v_fair, v_said, v_cost
    from app.pair_costs(p_campus, v_ids, v_repeats, p_time_slot, v_pool) as costs;

    select formed.circles, formed.steps
    into v_seats, v_steps
    from app.form_circles(
      v_start, p_campus.size_min, p_campus.size_max, v_wall_a, v_wall_b, v_pair_a, v_pair_b, v_cost, v_pool, v_risk, v_class,
      p_seed
    ) as formed;

    -- A loop, for it takes half the time of a join of the arrays.
    v_met := '{}';
    for v_at in 1 .. cardinality(v_pair_a) loop
      if v_seats[v_pair_a[v_at]] = v_seats[v_pair_b[v_at]] and v_seats[v_pair_a[v_at]] > 0 then
        v_met := v_met || v_at;
      end if;
    end loop;

    -- If that leaves a repeat, everybody may move.
    exit when v_pool is null or not exists (
      select
      from unnest(v_met) as pairs (at)
      where v_repeat[pairs.at] >= (c_weight ->> 'repeat')::integer
    );
    v_pool := null;
  end loop;

  with seats as materialized (
    select people.number::integer as number, people.circle, people.risk, people.class
    from unnest(v_seats, v_risk, v_class) with ordinality as people (circle, risk, class, number)
    where people.circle > 0
  ),

  sizes as materialized (
    select seats.circle, count(*) as people, sum(seats.risk) as risk
    from seats
    group by seats.circle
  ),

  -- Who is a stranger to so few that the smallest circle can't be filled with strangers repeats at least the rest. Where
  -- nobody repeats, there is nothing to count.
  known as (
    select sides.person, count(*) as others
    from (
      select unnest(v_pair_a) as person
      union all
      select unnest(v_pair_b)
      union all
      select unnest(array[walls.a, walls.b])
      from (
        select distinct least(walls.a, walls.b) as a, greatest(walls.a, walls.b) as b
        from unnest(v_wall_a, v_wall_b) as walls (a, b)
      ) as walls
      where not exists (
        select
        from unnest(v_pair_a, v_pair_b) as pairs (a, b)
        where least(pairs.a, pairs.b) = walls.a
          and greatest(pairs.a, pairs.b) = walls.b
      )
    ) as sides
    where v_met <> '{}'
    group by sides.person
    having count(*) > cardinality(p_people) - p_campus.size_max
  ),

  met as materialized (
    select v_repeat[pairs.at] as repeat, v_fair[pairs.at] as fair, v_said[pairs.at] as said
    from unnest(v_met) as pairs (at)
  )

  select jsonb_build_object(
    'algorithm', c_weight -> 'algorithm',
    'weights', c_weight - 'algorithm',
    'cost', jsonb_build_object(
      'repeats', (select coalesce(sum(met.repeat), 0) from met),
      'fairness', (select coalesce(sum(met.fair), 0) from met),
      'reliability', (c_weight ->> 'risk')::integer * (
        select coalesce(sum((sizes.risk + case when sizes.people = p_campus.size_min then 1 else 0 end) ^ 2), 0)::integer
        from sizes
        where exists (select from unnest(v_risk) as people (risk) where people.risk > 0)
      ),
      'feedback', (select coalesce(sum(met.said), 0) from met),
      'mix', (c_weight ->> 'mix')::integer * (
        select case when p_campus.mix_attribute is null then 0 else coalesce(sum(classes.pairs), 0) end
        from (
          select count(*) * (count(*) - 1) / 2 as pairs
          from seats
          group by seats.circle, seats.class
        ) as classes
      )
    ),
    'withinGap', (select count(*) from met where met.repeat >= (c_weight ->> 'gap')::integer),
    'lowerBound', (
      select coalesce(ceil(sum(greatest(0, least_size.people - 1 - (cardinality(p_people) - 1 - known.others))) / 2), 0)
      from known
      inner join seats on seats.number = known.person
      cross join (select min(sizes.people) as people from sizes) as least_size
    ),
    'steps', v_steps
  )
  into quality;

  circles := array(
    select nullif(seats.circle, 0)
    from unnest(v_seats, v_order) as seats (circle, place)
    order by seats.place
  );
  quality := quality || jsonb_build_object(
    'milliseconds', round(extract(epoch from clock_timestamp() - c_began) * 1000)
  );
end;
$function$;

comment on function app.draw_circles(app.campuses, uuid[], timestamptz, bigint) is
'Who of these members sits with whom: the circle number of each, null for who is left out; the inputs (app.matching_inputs()); and the quality: {algorithm, weights, cost: {repeats, fairness, reliability, feedback, mix}, withinGap, lowerBound, steps, milliseconds}.';

revoke all on function app.draw_circles(app.campuses, uuid[], timestamptz, bigint) from public;

-- source: db/functions/app/drawn_order.sql
-- app.drawn_order(p_campus_id, p_time_slot, p_seed): who is on the list of a slot, in the order that this seed draws.
--
-- Entries stay as they were at the deadline: so a slot of the past gives the same order again.

create or replace function app.drawn_order(p_campus_id text, p_time_slot timestamptz, p_seed bigint)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select entries.user_id
    from app.waitlist_entries as entries
    where entries.campus_id = p_campus_id
      and entries.time_slot = p_time_slot
      and entries.left_at is null
    order by hashtextextended(entries.user_id::text, p_seed), entries.user_id
  );
end;
$function$;

comment on function app.drawn_order(text, timestamptz, bigint) is
'The members on the list of a slot, in the order that this seed draws.';

revoke all on function app.drawn_order(text, timestamptz, bigint) from public;

-- source: db/functions/app/email_campus.sql
-- app.email_campus(p_email): the campus of an e-mail address, by its domain, matched whole.
--
-- Definer: identity functions run as circle27_auth, which reads no app table.

create or replace function app.email_campus(p_email text)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus_id text;
begin
  -- Sane, not complete: the code sent to it is the proof. No blanks, quotes or control characters, and nothing that a mail's
  -- header reads as another address (RFC 2047: =?utf-8?q?ann?=@... is Ann's).
  if p_email is null
    or length(p_email) > 254
    or p_email ~ '=\?'
    or p_email !~ '^[a-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$'
  then
    perform app.refuse('email_invalid');
  end if;

  select domains.campus_id
  into v_campus_id
  from app.campus_domains as domains
  where domains.domain = split_part(p_email, '@', 2);

  if not found then
    perform app.refuse('email_domain_unknown');
  end if;
  return v_campus_id;
end;
$function$;

comment on function app.email_campus(text) is
'The campus of an e-mail address in lower case. Refuses email_invalid, email_domain_unknown.';

revoke all on function app.email_campus(text) from public;
grant execute on function app.email_campus(text) to circle27_auth;

-- source: db/functions/app/emit.sql
-- app.emit(p_campus_id, p_channel, p_event, p_payload): put one event into the outbox.
--
-- In the transaction that caused it: it is told if and only if that commits. No NOTIFY, whose lock at commit
-- is one for the whole cluster. The channel is user:<user_id>, session:<session_id> (lower-case uuids)
-- or campus:<campus_id>; the table refuses all else, an event's name beyond a-z and _, and a payload above 16 kB.
--
-- Part of every join, so without settings of its own.

create or replace function app.emit(p_campus_id text, p_channel text, p_event text, p_payload jsonb)
returns void
language plpgsql
volatile
as $function$
begin
  insert into events.outbox (campus_id, channel, event, payload)
  values (p_campus_id, p_channel, p_event, p_payload);
end;
$function$;

comment on function app.emit(text, text, text, jsonb) is
'Put one event into the outbox, in the transaction that caused it.';

revoke all on function app.emit(text, text, text, jsonb) from public;

-- source: db/functions/app/emit_circles.sql
-- app.emit_circles(p_campus_id, p_time_slot): tell every member on the list of a matched slot which circle they are in.
--
-- The whole circle is in the message, so that nobody has to ask: at this second everyone would. Who is in none hears
-- why. Each circle is put together once.

create or replace function app.emit_circles(p_campus_id text, p_time_slot timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  perform app.use_campus_zone(p_campus_id);

  insert into events.outbox (campus_id, channel, event, payload)
  select p_campus_id, 'user:' || (mates.mate ->> 'userId'), 'circle', facts.circle
  from app.circle_facts(p_campus_id, p_time_slot) as facts
  cross join lateral jsonb_array_elements(facts.circle -> 'members') as mates (mate);

  insert into events.outbox (campus_id, channel, event, payload)
  select
    p_campus_id,
    'user:' || entries.user_id,
    'circle',
    jsonb_build_object('timeSlot', p_time_slot, 'circleNo', null, 'reason', 'no_circle_formed')
  from app.waitlist_entries as entries
  -- By the primary key: `limit 1` leaves no other way. The planner knows nothing of rows that were written a moment ago.
  left join lateral (
    select true as seated
    from app.circle_members as members
    where members.campus_id = p_campus_id
      and members.time_slot = p_time_slot
      and members.user_id = entries.user_id
    limit 1
  ) as places on true
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.left_at is null
    and places.seated is null;
end;
$function$;

comment on function app.emit_circles(text, timestamptz) is
'Put an event `circle` for each member on the list of a matched slot into the outbox: the circle, or circleNo null and a reason.';

revoke all on function app.emit_circles(text, timestamptz) from public;

-- source: db/functions/app/emit_counts.sql
-- app.emit_counts(p_slots): tell the campuses how many are on the lists of these slots now.
--
-- Not in the transaction that joins: 2,500 people in the last minute would be 2,500 messages to everybody. The worker sees
-- each join go by as it publishes it, and calls this once a second. A closed list does not change.
--
-- Definer: the worker holds no right on the tables.

create or replace function app.emit_counts(p_slots jsonb)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now timestamptz := app.clock();
begin
  perform app.emit_slot(slots.campus_id, slots.time_slot, v_now)
  from jsonb_to_recordset(p_slots) as changed ("campusId" text, "timeSlot" timestamptz)
  inner join app.time_slots as slots
    on slots.campus_id = changed."campusId"
    and slots.time_slot = changed."timeSlot"
    and slots.matched_at is null
    and slots.cancelled_at is null;
end;
$function$;

comment on function app.emit_counts(jsonb) is
'Put an event `slot` for each of these slots, [{campusId, timeSlot}], that is still to be matched into the outbox.';

revoke all on function app.emit_counts(jsonb) from public;
grant execute on function app.emit_counts(jsonb) to circle27_worker;

-- source: db/functions/app/emit_presence.sql
-- app.emit_presence(p_user_ids): tell the circle-mates of these members whether they are online now.
--
-- Mates of circles that have not ended yet, and of them who listens; not where one of the two has blocked the other. It says
-- what is so, not what has changed: a second device that comes or goes tells `online` once more, which does no harm.
--
-- Thousands come in one second after an outage. Who is in no such circle costs one look into an index.

create or replace function app.emit_presence(p_user_ids uuid[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now timestamptz := app.clock();
begin
  insert into events.outbox (campus_id, channel, event, payload)
  select distinct
    places.campus_id,
    'user:' || mates.user_id,
    'presence',
    jsonb_build_object('userId', places.user_id, 'online', exists (
      select
      from events.streams
      where streams.campus_id = places.campus_id
        and streams.user_id = places.user_id
    ))
  from app.circle_members as places
  inner join app.time_slots as slots
    on slots.campus_id = places.campus_id
    and slots.time_slot = places.time_slot
    and slots.ends_at > v_now
  inner join app.circle_members as mates
    on mates.campus_id = places.campus_id
    and mates.time_slot = places.time_slot
    and mates.circle_no = places.circle_no
    and mates.cancelled_at is null
    and mates.user_id <> places.user_id
  where places.user_id = any(p_user_ids)
    and places.time_slot > v_now - interval '1 day'  -- for the index: no slot is longer
    and places.cancelled_at is null
    and exists (
      select
      from events.streams
      where streams.campus_id = places.campus_id
        and streams.user_id = mates.user_id
    )
    and not exists (
      select
      from app.blocks
      where blocks.campus_id = places.campus_id
        and (blocks.user_id, blocks.blocked_id) in ((places.user_id, mates.user_id), (mates.user_id, places.user_id))
    );
end;
$function$;

comment on function app.emit_presence(uuid[]) is
'Put an event `presence` for each circle-mate who listens into the outbox: whether these members are online.';

revoke all on function app.emit_presence(uuid[]) from public;

-- source: db/functions/app/emit_session_end.sql
-- app.emit_session_end(p_campus_id, p_session_id): tell a session's stream that the session is over.
--
-- Definer: identity functions run as circle27_auth, which writes to no outbox.

create or replace function app.emit_session_end(p_campus_id text, p_session_id uuid)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.emit(p_campus_id, 'session:' || p_session_id, 'session', jsonb_build_object('over', true));
end;
$function$;

comment on function app.emit_session_end(text, uuid) is
'Tell a session''s stream that the session is over.';

revoke all on function app.emit_session_end(text, uuid) from public;
grant execute on function app.emit_session_end(text, uuid) to circle27_auth;

-- source: db/functions/app/enter_open_slot.sql
-- app.enter_open_slot(p_campus_id, p_user_id, p_time_slot): hold a slot open while a member joins or leaves it.
--
-- The clock is read after the lock is held, and so is what is written down: who waited for the matching sees its result.
-- Who is late by the clock is refused before the lock: a late joiner has nothing to wait for, and at a rush would hold
-- one of the pooled connections for as long as the matching takes. That reading counts: a clock that is turned back just
-- then lets nobody in without the lock.
--
-- The member is looked up here, too, with the lock held: who is deleted or suspended while a call waits does not get in.
--
-- Whose deadline has passed is not refused here, but told by `is_open`: who calls may be repeating what was done in time.
--
-- Gives the time, and the slot's own facts, from which who calls makes the button: at the last minute every lookup
-- counts. For the same reason it has no settings of its own: who calls it pins search_path.

create or replace function app.enter_open_slot(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  out entered_at timestamptz,
  out time_zone text,
  out deadline_at timestamptz,
  out ends_at timestamptz,
  out version bigint,
  out is_open boolean,
  out is_suspended boolean
)
returns record
language plpgsql
volatile
as $function$
declare
  v_cancelled_at timestamptz;
  v_matched_at   timestamptz;
  v_closed_at    timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select campuses.time_zone, slots.deadline_at, slots.ends_at
  into enter_open_slot.time_zone, enter_open_slot.deadline_at, enter_open_slot.ends_at
  from app.campuses
  inner join app.time_slots as slots
    on slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot
  where campuses.campus_id = p_campus_id;

  if not found then
    perform app.refuse('slot_not_found');
  end if;

  entered_at := app.clock();
  if entered_at < enter_open_slot.deadline_at then
    -- One query for both: each costs microseconds. They are taken in the order in which they are written.
    perform
      pg_catalog.pg_advisory_xact_lock(app.lock_key('member', p_user_id::text)),
      pg_catalog.pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, p_time_slot));
    entered_at := app.clock();
  end if;

  select
    slots.cancelled_at, slots.matched_at, slots.version, directory.closed_at,
    coalesce(directory.suspended_until > pg_catalog.clock_timestamp(), false)
  into strict v_cancelled_at, v_matched_at, enter_open_slot.version, v_closed_at, is_suspended
  from app.time_slots as slots
  left join app.user_campuses as directory on directory.user_id = p_user_id
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if v_closed_at is not null then
    perform app.refuse('account_deleted');
  end if;
  if v_cancelled_at is not null then
    perform app.refuse('slot_cancelled');
  end if;
  is_open := v_matched_at is null and entered_at < enter_open_slot.deadline_at;
end;
$function$;

comment on function app.enter_open_slot(text, uuid, timestamptz) is
'Hold an open slot while a member joins or leaves it; returns the time, the slot''s facts, whether it is open, and whether the member is suspended. Refuses no_campus, slot_not_found, account_deleted, slot_cancelled.';

revoke all on function app.enter_open_slot(text, uuid, timestamptz) from public;

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
    ('account_deleted', 401, 'This account was deleted',
     'Sign in again to begin anew', false, 'identity'),
    ('wrong_campus', 403, 'The token names another campus than the member''s own',
     'Sign in again to get a token for the campus the member belongs to now', false, 'identity'),
    ('not_yours', 403, 'This is for the member concerned only',
     'Ask with your own user id', false, 'identity'),
    ('member_not_found', 404, 'There is no such member',
     'Check the user id', false, 'identity'),
    ('ttl_invalid', 422, 'A token lives between one second and 366 days',
     'Give an interval in that range', false, 'identity'),
    ('login_code_wrong', 422, 'The login code does not count',
     'Check it, or ask for a new one: a code lives for ten minutes and survives four wrong tries', false, 'identity'),
    ('login_codes_exhausted', 429, 'Too many login codes were asked for',
     'Ask again after the seconds that Retry-After says', true, 'identity'),
    ('login_unavailable', 503, 'Nobody can sign in at the moment',
     'Try again later; the operators have to give the database its signing key', true, 'identity'),
    ('session_over', 401, 'The session is over',
     'Sign in again', false, 'identity'),
    ('refresh_token_reused', 401, 'This refresh token was used before, so its session was ended',
     'Sign in again, and keep only the newest refresh token', false, 'identity'),
    ('key_invalid', 422, 'The key is not allowed',
     'Give a name of letters, digits, - and _, and a secret of at least 32 bytes', false, 'identity'),
    ('call_not_plain', 422, 'This call takes its arguments and nothing else',
     'Leave out select, filters and order', false, 'identity'),
    ('key_exists', 409, 'There is another key of this name',
     'Give the new key another name', false, 'identity'),
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
    ('attributes_invalid', 422, 'The attributes are not allowed',
     'Send a JSON object of at most 4096 bytes', false, 'campus'),
    ('operators_only', 403, 'This is for operators of the campus only',
     'Ask an operator of your campus', false, 'identity'),
    ('own_case', 403, 'Nobody judges their own case',
     'Ask another operator of your campus', false, 'identity'),
    ('suspended', 403, 'This member may join no time slot for now',
     'my_profile says until when; ask an operator of your campus', false, 'circles'),
    ('suspension_invalid', 422, 'The suspension is not allowed',
     'Give an instant ahead, or infinity, and a reason of 1 to 500 characters', false, 'circles'),
    ('report_invalid', 422, 'The report is not allowed',
     'The reason is harassment, no_show, fake or other; the comment has at most 2000 characters', false, 'circles'),
    -- Slots.
    ('slot_not_found', 404, 'There is no such time slot',
     'Take timeSlot from get_button_states or time_slots', false, 'slots'),
    ('slot_cancelled', 409, 'The time slot was cancelled',
     'Choose another slot', false, 'slots'),
    ('slot_ended', 409, 'The time slot is over',
     'Nothing can be done about it any more', false, 'slots'),
    ('deadline_passed', 409, 'The deadline of this time slot has passed',
     'Choose a slot whose deadlineAt lies ahead', false, 'slots'),
    ('deadline_not_reached', 409, 'The deadline of this time slot has not passed yet',
     'Match it from deadlineAt on', true, 'slots'),
    ('slot_busy', 503, 'The time slot is being matched or cancelled',
     'Try again in a moment', true, 'slots'),
    ('day_invalid', 422, 'The day is out of range',
     'Send a date between 2000-01-01 and 2199-12-31, or none for today', false, 'slots'),
    ('entry_fixed', 405, 'An entry of a waitlist cannot be changed',
     'Insert one to join, delete it to leave', false, 'slots'),
    -- Circles, feedback, walls.
    ('not_matched_yet', 409, 'The circles of this time slot are not formed yet',
     'Wait for the event circle, or ask again after deadlineAt', true, 'circles'),
    ('no_circle_formed', 404, 'No circle could be formed for you in this time slot',
     'Too few people came; join another slot', false, 'circles'),
    ('no_circle', 404, 'You are in no circle of this time slot',
     'Take a slot whose buttonState is confirmed or feedback', false, 'circles'),
    ('circle_not_found', 404, 'The time slot has no circle of this number',
     'Circles are numbered from 1; the matching report says how many there are', false, 'circles'),
    ('inputs_not_kept', 409, 'What this matching knew was not kept',
     'Take a slot that was matched, not one of an invented past', false, 'slots'),
    ('meeting_begun', 409, 'The meeting of this time slot has begun',
     'A place can be given up until timeSlot', false, 'circles'),
    ('feedback_not_open', 409, 'Feedback opens when the meeting is over',
     'Send it from endsAt on', true, 'circles'),
    ('feedback_given', 409, 'Other feedback on this meeting was given before',
     'It is given once and cannot be changed', false, 'circles'),
    ('rating_invalid', 422, 'The rating is not between 1 and 5',
     'Send a whole number from 1 to 5', false, 'circles'),
    ('comment_invalid', 422, 'The comment is too long',
     'Send at most 2000 characters', false, 'circles'),
    ('about_invalid', 422, 'What is said about circle-mates is not allowed',
     'Send a list of {"userId": uuid, "meetAgain": boolean, "noShow": boolean}: circle-mates only, each once, and no meetAgain for a no-show', false, 'circles'),
    ('not_a_mate', 404, 'This member was not in your circle',
     'Report somebody whom my_circle names', false, 'circles'),
    ('report_given', 409, 'Another report on this member and meeting was given before',
     'It is given once and cannot be changed', false, 'circles'),
    ('block_oneself', 422, 'Nobody can block themselves',
     'Send the user id of another member', false, 'circles'),
    ('spot_invalid', 422, 'A value of the meeting spot is not allowed',
     'The id is lower case letters, digits and hyphens; the name 1 to 200 characters', false, 'circles'),
    -- Limits.
    ('rate_limited', 429, 'Too many calls in a short time',
     'Try again after the number of seconds in Retry-After', true, 'limits'),
    -- Clock, queue, readiness.
    ('clock_offset_invalid', 422, 'The clock cannot be moved by this interval',
     'Give an interval of at most 99 years', false, 'operations'),
    ('time_invalid', 422, 'The time is missing or out of range',
     'Give an instant between 2000-01-01 and 2199-12-31', false, 'operations'),
    ('limit_invalid', 422, 'The number of rows to take is out of range',
     'Take between 1 and 10000', false, 'operations'),
    ('year_invalid', 422, 'These years cannot be dropped',
     'Give a year that is not this one; the last year always stays', false, 'operations'),
    ('not_ready', 503, 'The database cannot serve and write yet',
     'Try again in a few seconds', true, 'operations')
$function$;

comment on function app.error_registry() is
'Every refusal: slug, HTTP status, message, hint, whether the same call may be repeated as it is, area.';

revoke all on function app.error_registry() from public;
-- app.refuse() runs as its caller.
grant execute on function app.error_registry() to anon, authenticated, service_role, circle27_auth;

-- source: db/functions/app/denial.sql
-- app.denial(p_slug, p_retry_after): refuse, and keep what was written.
--
-- app.refuse() rolls the transaction back. Where something must survive the refusal (a wrong code that is counted, a
-- session that is ended because its old token came back) the function returns this instead: the client gets the
-- same status and the same body as from app.refuse().
--
-- requires: app.error_registry

create or replace function app.denial(p_slug text, p_retry_after integer default null)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_error   record;
  v_headers jsonb;
begin
  select registry.status, registry.message, registry.hint
  into strict v_error
  from app.error_registry() as registry
  where registry.slug = p_slug;

  perform set_config('response.status', v_error.status::text, true);
  -- 401: as PostgREST does where it is raised.
  v_headers := (
    select jsonb_agg(jsonb_build_object(headers.name, headers.value))
    from (
      values
        ('Retry-After', p_retry_after::text), ('WWW-Authenticate', case v_error.status when 401 then 'Bearer' end)
    ) as headers (name, value)
    where headers.value is not null
  );
  if v_headers is not null then
    perform set_config('response.headers', v_headers::text, true);
  end if;

  return jsonb_build_object(
    'code', 'PT' || v_error.status, 'message', v_error.message, 'details', p_slug, 'hint', v_error.hint
  );
end;
$function$;

comment on function app.denial(text, integer) is
'The refusal of this slug as an answer, so that the transaction commits; p_retry_after in seconds.';

revoke all on function app.denial(text, integer) from public;
grant execute on function app.denial(text, integer) to circle27_auth;

-- source: db/functions/app/explain_circle.sql
-- app.explain_circle(p_campus_id, p_time_slot, p_circle_no): why these people sit together, in words.
--
-- About the circle as the matching formed it, from what it knew then: the inputs kept with the run, the meetings of the books
-- (app.known_meetings()). Then what has changed since. Writes nothing and holds no lock.
--
-- What would give somebody away is not in it. A wall is known to the two whom it parts at most; what was said in feedback, and
-- who stayed away, comes from what members said in confidence. So walls and feedback get one sentence that is always the same,
-- and of those who stayed away there are numbers for the whole list only. Nor does it say "these two could not be parted", for
-- the reader would look for the wall: only how many of the others each had met.
--
-- requires: app.drawn_order, app.known_meetings, app.matched_slot, app.refuse

create or replace function app.explain_circle(p_campus_id text, p_time_slot timestamptz, p_circle_no integer)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_slot     app.time_slots := app.matched_slot(p_campus_id, p_time_slot);  -- refuses what can't be looked at again
  v_rules    jsonb;
  v_zone     text;
  v_listed   uuid[];
  v_people   jsonb;
  v_reasons  text[];
begin
  -- Who was seated here by the matching, or came later. A circle that all have left is still explained.
  select jsonb_agg(
    jsonb_build_object(
      'userId', places.user_id,
      'displayName', users.display_name,
      'place', case
        when places.circle_no <> p_circle_no then 'moved_away'
        when places.cancelled_at is not null then 'given_up'
        when places.moved_from is not null then 'moved_here'
        else 'kept'
      end
    )
    order by users.display_name, places.user_id
  )
  into v_people
  from app.circle_members as places
  inner join app.users
    on users.campus_id = p_campus_id
    and users.user_id = places.user_id
  where places.campus_id = p_campus_id
    and places.time_slot = p_time_slot
    and p_circle_no in (places.circle_no, places.moved_from);

  if v_people is null then
    perform app.refuse('circle_not_found');
  end if;

  v_rules := v_slot.match_inputs -> 'campus';
  v_zone := (select campuses.time_zone from app.campuses where campuses.campus_id = p_campus_id);
  v_listed := app.drawn_order(p_campus_id, p_time_slot, v_slot.match_seed);

  with listed as materialized (
    select
      people.user_id,
      users.display_name as name,
      coalesce(places.moved_from, places.circle_no) as formed_in,
      places.circle_no,
      places.moved_from,
      places.cancelled_at,
      people.missed::integer as missed,
      people.risk::integer as risk,
      people.class::integer as class
    from rows from (
      unnest(v_listed),
      jsonb_array_elements(v_slot.match_inputs -> 'missed'),
      jsonb_array_elements(v_slot.match_inputs -> 'risk'),
      jsonb_array_elements(v_slot.match_inputs -> 'class')
    ) as people (user_id, missed, risk, class)
    inner join app.users
      on users.campus_id = p_campus_id
      and users.user_id = people.user_id
    left join app.circle_members as places
      on places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = people.user_id
  ),

  here as materialized (
    select listed.*
    from listed
    where listed.formed_in = p_circle_no
  ),

  sizes as (
    select counted.people, count(*) as circles
    from (
      select count(*) as people
      from listed
      where listed.formed_in is not null
      group by listed.formed_in
    ) as counted
    group by counted.people
  ),

  met as materialized (
    select
      v_listed[meetings.a] as user_a,
      v_listed[meetings.b] as user_b,
      meetings.meetings_count,
      meetings.last_met_at
    from app.known_meetings(p_campus_id, v_listed, p_time_slot) as meetings
  ),

  -- Of how many of the list each one here was no stranger.
  known as (
    select here.user_id, here.name, count(met.user_a) as others
    from here
    left join met on here.user_id in (met.user_a, met.user_b)
    group by here.user_id, here.name
  ),

  again as materialized (
    select
      least(ones.name, others.name) as one,
      greatest(ones.name, others.name) as other,
      case when ones.name <= others.name then ones.others else others.others end as one_knew,
      case when ones.name <= others.name then others.others else ones.others end as other_knew,
      met.meetings_count as times,
      met.last_met_at,
      met.last_met_at > p_time_slot - make_interval(hours => 24 * (v_rules ->> 'min_gap_days')::integer) as in_gap
    from met
    inner join known as ones on ones.user_id = met.user_a
    inner join known as others on others.user_id = met.user_b
  ),

  sentences as (
    select 1 as part, null::text as key, format(
      '%s of the %s people on the list sit in circles: %s. The campus wants from %s to %s, best %s.',
      (select count(listed.formed_in) from listed),
      cardinality(v_listed),
      (
        select string_agg(format('%s of %s', sizes.circles, sizes.people), ', ' order by sizes.people desc)
        from sizes
      ),
      v_rules ->> 'size_min', v_rules ->> 'size_max', v_rules ->> 'size_target'
    ) as sentence
    union all
    select 2, null, format('None of these %s had met before.', (select count(*) from here))
    where not exists (select from again)
    union all
    select 2, again.one || again.other, format(
      '%s and %s had met before, %s, last on %s, %s; %s gap of %s days.',
      again.one,
      again.other,
      case when again.times = 1 then 'once' else again.times || ' times' end,
      to_char(again.last_met_at at time zone v_zone, 'FMDD FMMonth YYYY'),
      (
        select case when days.ago = 0 then 'the same day' when days.ago = 1 then 'a day before' else days.ago || ' days before' end
        from (
          select (p_time_slot at time zone v_zone)::date - (again.last_met_at at time zone v_zone)::date as ago
        ) as days
      ),
      case when again.in_gap then 'within the' else 'the campus wants a' end,
      v_rules ->> 'min_gap_days'
    ) || format(
      ' Of the %s others on the list %s had met %s and %s %s: no better circles were found.',
      cardinality(v_listed) - 1, again.one, again.one_knew, again.other, again.other_knew
    )
    from again
    union all
    select 3, here.name, format(
      '%s had been left out %s, and came first.',
      here.name,
      case
        when here.missed >= 100 then 'the last time'
        when here.missed = 1 then 'once in the 30 days before'
        else here.missed || ' times in the 30 days before'
      end
    )
    from here
    where here.missed > 0
    union all
    select 4, null, format(
      'Of those on the list %s had stayed away lately; they are spread over the circles.', count(*)
    )
    from listed
    where listed.risk > 0
    having count(*) > 0
    union all
    select 5, null, format(
      'People are mixed by %s: these %s have %s of the %s values on the list.',
      v_rules ->> 'mix_attribute',
      (select count(*) from here),
      (select count(distinct here.class) from here),
      (select count(distinct listed.class) from listed)
    )
    where v_rules ->> 'mix_attribute' is not null
    union all
    select 6, null, 'Blocks were kept to, and what members said of each other was heard; nobody is told of whom.'
    union all
    select 7, listed.name, format(
      case when listed.cancelled_at is null
        then '%s came from circle %s, which became too small.'
        else '%s came from circle %s, which became too small, and then gave the place up.'
      end,
      listed.name, listed.moved_from
    )
    from listed
    where listed.circle_no = p_circle_no
      and listed.moved_from is not null
    union all
    select 7, here.name, format('%s gave the place up.', here.name)
    from here
    where here.circle_no = p_circle_no
      and here.cancelled_at is not null
    union all
    select 7, here.name, format('%s went to circle %s, as too few were left here.', here.name, here.circle_no)
    from here
    where here.circle_no <> p_circle_no
    union all
    select 8, null, coalesce(
      (
        select format('They meet at %s.', spots.name)
        from app.circles
        inner join app.meeting_spots as spots
          on spots.campus_id = p_campus_id
          and spots.spot_id = circles.spot_id
        where circles.campus_id = p_campus_id
          and circles.time_slot = p_time_slot
          and circles.circle_no = p_circle_no
      ),
      'The circle has no spot.'
    )
  )

  select array_agg(sentences.sentence order by sentences.part, sentences.key)
  into v_reasons
  from sentences;

  return jsonb_build_object(
    'campusId', p_campus_id,
    'timeSlot', p_time_slot,
    'circleNo', p_circle_no,
    'people', v_people,
    'reasons', to_jsonb(v_reasons)
  );
end;
$function$;

comment on function app.explain_circle(text, timestamptz, integer) is
'Why these people sit together: {campusId, timeSlot, circleNo, people: [{userId, displayName, place}], reasons: [sentences]}. Refuses no_campus, slot_not_found, not_matched_yet, inputs_not_kept, circle_not_found.';

revoke all on function app.explain_circle(text, timestamptz, integer) from public;

-- source: db/functions/app/export_member.sql
-- app.export_member(p_campus_id, p_user_id): all that is kept about a member, for the member.
--
-- The only place that gives out an address: the member's own, to the member. Of others only what the member knows: not who
-- blocks or reports them, nor what was said about them.
--
-- Of the trail the newest 10,000 lines, as many as api.my_trail() gives at once, which tells the older ones: an hour of joining and
-- leaving writes 300,000, and one call would then keep the database busy for seconds.

create or replace function app.export_member(p_campus_id text, p_user_id uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return jsonb_build_object(
    'profile', app.profile(p_campus_id, p_user_id) || (
      select jsonb_build_object('email', users.email, 'registeredAt', users.created_at)
      from app.users
      where users.campus_id = p_campus_id
        and users.user_id = p_user_id
    ),
    'waitlistEntries', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object('timeSlot', entries.time_slot, 'joinedAt', entries.joined_at, 'leftAt', entries.left_at)
          order by entries.time_slot
        )
        from app.waitlist_entries as entries
        where entries.campus_id = p_campus_id
          and entries.user_id = p_user_id
      ),
      '[]'
    ),
    'circles', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object(
            'timeSlot', places.time_slot, 'circleNo', places.circle_no, 'cancelledAt', places.cancelled_at,
            'attended', places.attended
          )
          order by places.time_slot
        )
        from app.circle_members as places
        where places.campus_id = p_campus_id
          and places.user_id = p_user_id
      ),
      '[]'
    ),
    'feedback', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object(
            'timeSlot', given.time_slot,
            'rating', given.rating,
            'comment', given.comment,
            'createdAt', given.created_at,
            'about', app.stored_feedback_about(p_campus_id, p_user_id, given.time_slot)
          )
          order by given.time_slot
        )
        from app.feedback as given
        where given.campus_id = p_campus_id
          and given.user_id = p_user_id
      ),
      '[]'
    ),
    'reports', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object(
            'timeSlot', told.time_slot,
            'userId', told.reported_id,
            'reason', told.reason,
            'comment', told.comment,
            'createdAt', told.created_at
          )
          order by told.time_slot, told.reported_id
        )
        from app.reports as told
        where told.campus_id = p_campus_id
          and told.user_id = p_user_id
      ),
      '[]'
    ),
    'sessions', identity.member_sessions(p_user_id, null, null),
    'trail', audit.member_trail(p_user_id, 'infinity', 10000)
  );
end;
$function$;

comment on function app.export_member(text, uuid) is
'All that is kept about a member: {profile, waitlistEntries, circles, feedback, reports, sessions, trail}. Refuses no_campus.';

revoke all on function app.export_member(text, uuid) from public;

-- source: db/functions/app/feedback_about.sql
-- app.feedback_about(p_campus_id, p_user_id, p_time_slot, p_about): what is said about circle-mates, checked and in order.
--
-- Null if anything in it is not allowed: another shape, an unknown key, someone twice, someone who was not in the circle,
-- and who did not come can't be wished to be met again. What says nothing about someone is left out.

create or replace function app.feedback_about(p_campus_id text, p_user_id uuid, p_time_slot timestamptz, p_about jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_about jsonb := coalesce(nullif(p_about, 'null'), '[]');
begin
  if jsonb_typeof(v_about) <> 'array' or jsonb_array_length(v_about) > 20 then
    return null;
  end if;
  if exists (
    select
    from jsonb_array_elements(v_about) as said (about)
    where not coalesce(
      jsonb_typeof(said.about) = 'object'
      and said.about - array['userId', 'meetAgain', 'noShow'] = '{}'
      and jsonb_typeof(said.about -> 'userId') = 'string'
      and jsonb_typeof(coalesce(said.about -> 'meetAgain', 'null')) in ('boolean', 'null')
      and jsonb_typeof(coalesce(said.about -> 'noShow', 'null')) in ('boolean', 'null')
      and (said.about -> 'noShow' is distinct from 'true' or coalesce(said.about -> 'meetAgain', 'null') = 'null')
      and exists (
        select
        from app.circle_members as own
        inner join app.circle_members as mates
          on mates.campus_id = p_campus_id
          and mates.time_slot = p_time_slot
          and mates.circle_no = own.circle_no
          and mates.user_id <> p_user_id
          and mates.user_id::text = lower(said.about ->> 'userId')
        where own.campus_id = p_campus_id
          and own.time_slot = p_time_slot
          and own.user_id = p_user_id
      ),
      false
    )
  ) or exists (
    select lower(said.about ->> 'userId')
    from jsonb_array_elements(v_about) as said (about)
    group by lower(said.about ->> 'userId')
    having count(*) > 1
  ) then
    return null;
  end if;

  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'userId', lower(said.about ->> 'userId'),
          'meetAgain', said.about -> 'meetAgain',
          'noShow', coalesce(nullif(said.about -> 'noShow', 'null'), 'false')
        )
        order by lower(said.about ->> 'userId')
      )
      from jsonb_array_elements(v_about) as said (about)
      where jsonb_typeof(said.about -> 'meetAgain') = 'boolean'
        or said.about -> 'noShow' = 'true'
    ),
    '[]'
  );
end;
$function$;

comment on function app.feedback_about(text, uuid, timestamptz, jsonb) is
'What a member says about circle-mates, checked and in order of their ids; null if it is not allowed.';

revoke all on function app.feedback_about(text, uuid, timestamptz, jsonb) from public;

-- source: db/functions/app/form_circles.sql
-- app.form_circles(...): who sits with whom. The whole of the matching that needs no table.
--
-- People are numbers, drawn into that order by the caller, and sit where app.seat_people() gave each a circle (p_seats), by
-- walls, sizes and fairness. Then people of two circles change places as long as that lessens the sum of the costs: of pairs
-- (p_pair_cost, each pair once), of those likely to be missing (p_risk, how many may be; the square of their sum in each
-- circle), of people of the same class (p_class) in one circle. A wall is a pair that costs more than all else could.
--
-- p_pool: only these change places, and of the others not all pairs are given. Null: everybody, and all pairs.
--
-- Among few people (app.swap_by_matrix) every pair's cost is at hand, and those who have not met have one, too: of two
-- rounds without a repeat that one is better which puts together people with few acquaintances in common. It leaves
-- more whole circles of strangers for the rounds to come. Among many (app.swap_by_lists) few have met, and only they are
-- looked at; where that does not part them all, the list is still short enough for the matrix up to c_most people.
--
-- Work is counted in steps, never in seconds: the same arguments give the same circles.
-- Gives the circle number of each person, 0 for who is left out (an array with nulls is slow to look into), and the steps.

create or replace function app.form_circles(
  p_seats integer[],
  p_size_min integer,
  p_size_max integer,
  p_wall_a integer[],
  p_wall_b integer[],
  p_pair_a integer[],
  p_pair_b integer[],
  p_pair_cost integer[],
  p_pool integer[],
  p_risk integer[],
  p_class integer[],
  p_seed bigint,
  out circles integer[],
  out steps integer
)
returns record
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_weight  constant jsonb := app.match_weights();
  c_wall    constant integer := (c_weight ->> 'wall')::integer;    -- twenty of them are still an integer
  c_repeat  constant integer := (c_weight ->> 'repeat')::integer;  -- from here on a pair is a repeat
  c_near    constant integer := (c_weight ->> 'near')::integer;
  c_risk    constant integer := (c_weight ->> 'risk')::integer;
  c_class   constant integer := (c_weight ->> 'mix')::integer;
  c_few     constant integer := 256;
  c_most    constant integer := 1000;
  c_tiny    constant integer := 64;        -- here no swap is left that helps
  v_pair_a  integer[] := p_pair_a || p_wall_a;
  v_pair_b  integer[] := p_pair_b || p_wall_b;
  v_cost    integer[] := p_pair_cost || array_fill(c_wall, array[cardinality(p_wall_a)]);
  v_people  integer := cardinality(p_seats);
  v_seats   integer[] := p_seats;
  v_start   integer[];
  v_free    integer[];
  v_budget  integer;
  v_more    integer;
  v_repeats integer;
  v_turned  integer[];
  v_best    integer[];
  v_cost_now  integer;
  v_cost_best integer;
begin
  steps := 0;
  if not exists (select from unnest(v_seats) as seats (circle) where seats.circle > 1) then
    circles := v_seats;
    return;
  end if;

  if v_people > c_few then
    select swapped.circle_of, swapped.steps
    into v_seats, steps
    from app.swap_by_lists(
      v_seats, p_size_min, v_pair_a, v_pair_b, v_cost, p_pool, p_class, c_class, p_risk, c_risk, 2000000, p_seed
    ) as swapped;
  end if;

  if v_people <= c_few or (
    v_people <= c_most and p_pool is null and exists (
      select
      from unnest(p_pair_a, p_pair_b, p_pair_cost) as pairs (a, b, cost)
      where pairs.cost >= c_repeat
        and v_seats[pairs.a] = v_seats[pairs.b]
        and v_seats[pairs.a] > 0
    )
  ) then
    v_start := array_fill(1, array[v_people + 1]);
    v_free := '{}';
    if v_people <= c_few then
      -- What every two cost, and whom each has not met.
      with pairs as (
        select least(known.a, known.b) as a, greatest(known.a, known.b) as b, max(known.cost) as cost
        from unnest(v_pair_a, v_pair_b, v_cost) as known (a, b, cost)
        group by 1, 2
      ),

      sides as materialized (
        select pairs.a as person, pairs.b as other from pairs
        union all
        select pairs.b, pairs.a from pairs
      ),

      -- Whom each has met, as a string of bits: common acquaintances are a matter of one operation.
      rows as materialized (
        select
          people.person,
          string_agg(case when sides.other is null then '0' else '1' end, '' order by others.person)::varbit as met,
          array_agg(others.person order by others.person)
            filter (where sides.other is null and others.person <> people.person) as free
        from generate_series(1, v_people) as people (person)
        cross join generate_series(1, v_people) as others (person)
        left join sides on sides.person = people.person and sides.other = others.person
        group by people.person
      ),

      costs as (
        select
          ones.person as a,
          others.person as b,
          coalesce(
            pairs.cost, c_near * 32 * bit_count(ones.met & others.met)::integer / (v_people * greatest(32, v_people))
          )
          + case when p_class[ones.person] = p_class[others.person] and p_class_count > 1 then c_class else 0 end as cost
        from rows as ones
        inner join rows as others on others.person > ones.person
        left join pairs on pairs.a = ones.person and pairs.b = others.person
        cross join (select max(classes.class) as p_class_count from unnest(p_class) as classes (class)) as counted
      )

      select
        array(select costs.a from costs where costs.cost > 0 order by costs.a, costs.b),
        array(select costs.b from costs where costs.cost > 0 order by costs.a, costs.b),
        array(select costs.cost from costs where costs.cost > 0 order by costs.a, costs.b),
        array(select unnest(rows.free) from rows order by rows.person),
        array(
          select 1 + coalesce(
            sum(cardinality(rows.free)) over (order by rows.person rows between unbounded preceding and 1 preceding), 0
          )
          from rows
          order by rows.person
        )
      into v_pair_a, v_pair_b, v_cost, v_free, v_start;
      v_start := v_start || (cardinality(v_free) + 1);
    end if;

    -- Among very few once more, if somebody still meets again; and a third time, if it is one pair or two, which mostly can
    -- be parted. At last every swap of two that helps. (Measured: four times the steps part no more of them.)
    v_budget := least(
      100 * v_people * v_people,
      case
        when v_people <= c_tiny then 32000
        else greatest(40000, 600 * v_people + 2400 * (cardinality(p_pair_a) / v_people))  -- more where more have met
      end
    );
    for v_turn in 1 .. case when v_people <= c_tiny then 4 else 1 end loop
      v_repeats := (
        select count(*)
        from unnest(p_pair_a, p_pair_b, p_pair_cost) as pairs (a, b, cost)
        where pairs.cost >= c_repeat
          and v_best[pairs.a] = v_best[pairs.b]
          and v_best[pairs.a] > 0
      );
      continue when (v_turn = 2 and v_repeats = 0) or (v_turn = 3 and v_repeats not between 1 and 2);
      select swapped.circle_of, swapped.cost, swapped.steps
      into v_turned, v_cost_now, v_more
      from app.swap_by_matrix(
        case when v_turn = 4 then v_best else v_seats end, p_size_min, p_size_max, v_pair_a, v_pair_b, v_cost, v_start,
        v_free, p_risk, c_risk, case when v_turn = 4 then 0 else v_budget end, p_seed # v_turn
      ) as swapped;
      steps := steps + v_more;
      if v_turn = 1 or v_cost_now < v_cost_best then
        v_best := v_turned;
        v_cost_best := v_cost_now;
      end if;
    end loop;
    v_seats := v_best;
  end if;

  circles := v_seats;
end;
$function$;

comment on function app.form_circles(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer[], integer[],
  bigint
) is
'Better circles than p_seats: the circle number of each person, 0 for who is left out; and the steps it took. Walls and sizes hold as before; the same arguments give the same circles.';

revoke all on function app.form_circles(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer[], integer[],
  bigint
) from public;

-- source: db/functions/app/free_spot.sql
-- app.free_spot(p_campus_id, p_time_slot, p_circle_no, p_heir): a circle in which nobody is left needs no spot.
--
-- The circle that took its people has it then, if it had none; else the next matching may deal it. p_heir null: nobody took them.

create or replace function app.free_spot(
  p_campus_id text, p_time_slot timestamptz, p_circle_no integer, p_heir integer
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_spot_id text;
begin
  select circles.spot_id
  into v_spot_id
  from app.circles
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = p_circle_no;

  if v_spot_id is null then
    return;
  end if;

  -- Given up before it is taken: no spot is booked twice, not even for a moment.
  update app.circles
  set spot_id = null
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = p_circle_no;
  update app.circles
  set spot_id = v_spot_id
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = p_heir
    and circles.spot_id is null;
end;
$function$;

comment on function app.free_spot(text, timestamptz, integer, integer) is
'Give the spot of a circle in which nobody is left to the one that took its people, or back.';

revoke all on function app.free_spot(text, timestamptz, integer, integer) from public;

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
-- the feedback; a boundary belongs to what comes after it. Each text below is a line of the specification; each question is
-- asked once, for this is inlined, and what stands there twice is made ready twice at every call.
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
    case p_now < p_deadline_at
      when true then
        case
          when p_on_waitlist
            then '{"buttonState": "leave", "buttonText": "Can''t Go", "isDisabled": false, "middleText": "Decide by '
          else '{"buttonState": "join", "buttonText": "Join", "isDisabled": false, "middleText": "Decide by '
        end
      when false then
        case
          when not p_in_circle
            then '{"buttonState": "past", "buttonText": "Past", "isDisabled": true, "middleText": "Closed at '
          when p_now < p_ends_at
            then '{"buttonState": "confirmed", "buttonText": "Confirmed ✓", "isDisabled": false, "middleText": "Confirmed at '
          when p_feedback_given
            then '{"buttonState": "past", "buttonText": "Past", "isDisabled": true, "middleText": "Confirmed at '
          else '{"buttonState": "feedback", "buttonText": "Feedback >", "isDisabled": false, "middleText": "Confirmed at '
        end
    end
    || app.hour_text(p_deadline_at at time zone p_time_zone)
    || '"}'
  )::json
$function$;

comment on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean) is
'Method 7: what the button of one member and slot says at p_now. Four keys: buttonState, buttonText, middleText, isDisabled.';

revoke all on function app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean)
from public;

-- source: db/functions/app/is_operator.sql
-- app.is_operator(p_campus_id, p_user_id): whether the member is an operator. From the table, never from a claim.

create or replace function app.is_operator(p_campus_id text, p_user_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return exists (
    select
    from app.users
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id
      and users.tier = 'operator'
  );
end;
$function$;

comment on function app.is_operator(text, uuid) is
'Whether the member is an operator of the campus.';

revoke all on function app.is_operator(text, uuid) from public;

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

-- source: db/functions/app/join_waitlist.sql
-- app.join_waitlist(p_campus_id, p_user_id, p_time_slot): put a member on the waitlist of one slot.
--
-- Repeatable: who is on the list already gets their button, and nothing is written. After the deadline, too: who joined
-- in time and asks again, as the answer got lost, must not hear that they came too late.
--
-- The hottest write there is: the button is made of what is known here (on the list of an open slot, so in no circle),
-- and not looked up. No settings of its own: who calls it pins search_path.

create or replace function app.join_waitlist(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns json
language plpgsql
volatile
as $function$
declare
  v_slot    record := app.enter_open_slot(p_campus_id, p_user_id, p_time_slot);
  v_version bigint;
  v_button  json;
begin
  -- Too late to write anything, and without the lock: a repetition is answered, all else refused.
  if not v_slot.is_open then
    if not exists (
      select
      from app.waitlist_entries as entries
      where entries.campus_id = p_campus_id
        and entries.time_slot = p_time_slot
        and entries.user_id = p_user_id
        and entries.left_at is null
    ) then
      perform app.refuse('deadline_passed');
    end if;
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  if v_slot.is_suspended then
    perform app.refuse('suspended');
  end if;

  insert into app.waitlist_entries as entries (campus_id, time_slot, user_id, joined_at, version)
  values (p_campus_id, p_time_slot, p_user_id, v_slot.entered_at, app.next_version())
  on conflict on constraint waitlist_entries_pkey do update
  set joined_at = excluded.joined_at, left_at = null, version = excluded.version
  where entries.left_at is not null
  returning entries.version into v_version;

  if not found then
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  v_button := app.slot_state(
    v_slot.entered_at, v_slot.time_zone, p_time_slot, v_slot.deadline_at, v_slot.ends_at, null, null,
    true, false, false, greatest(v_slot.version, v_version)
  );
  perform app.emit(p_campus_id, 'user:' || p_user_id, 'button', v_button::jsonb);
  perform audit.record('waitlist.joined', p_campus_id, p_user_id, p_time_slot);
  return v_button;
end;
$function$;

comment on function app.join_waitlist(text, uuid, timestamptz) is
'Put a member on the waitlist of one slot; returns the new button. Refuses no_campus, slot_not_found, account_deleted, slot_cancelled, deadline_passed, suspended.';

revoke all on function app.join_waitlist(text, uuid, timestamptz) from public;

-- source: db/functions/app/judge_no_shows.sql
-- app.judge_no_shows(p_campus_id, p_time_slot, p_user_ids, p_now): who stayed away too often takes a break.
--
-- Called with those of whom somebody has just said that they did not come. Two circle-mates must say so before it is taken
-- for a fact (app.circle_members.attended); the third such fact of the last 30 days suspends for 7 days from joining. One
-- word against another suspends nobody, and an operator can lift it (api.suspend_user). Who gave up the place did not stay
-- away: the others were told. Lists and circles ahead are kept: leaving them takes the member's lock, which comes first.

create or replace function app.judge_no_shows(
  p_campus_id text, p_time_slot timestamptz, p_user_ids uuid[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_witnesses constant integer := 2;
  v_patience  constant integer := 3;
  v_memory    constant interval := interval '720 hours';
  v_break     constant interval := interval '168 hours';
  v_until     timestamptz := clock_timestamp() + v_break;
  v_user_id   uuid;
begin
  if p_user_ids = '{}' then
    return;
  end if;

  -- Two witnesses at the same moment would each see only themselves: one circle's are heard one after the other.
  perform
  from app.circles
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = (
      select places.circle_no
      from app.circle_members as places
      where places.campus_id = p_campus_id
        and places.time_slot = p_time_slot
        and places.user_id = p_user_ids[1]
    )
  for update;

  for v_user_id in
    with judged as (
      update app.circle_members as places
      set attended = false
      where places.campus_id = p_campus_id
        and places.time_slot = p_time_slot
        and places.user_id = any(p_user_ids)
        and places.cancelled_at is null
        and places.attended is distinct from false
        and (
          select count(*)
          from app.feedback_about as said
          where said.campus_id = p_campus_id
            and said.time_slot = p_time_slot
            and said.about_id = places.user_id
            and said.no_show
        ) >= v_witnesses
      returning places.user_id
    )

    select judged.user_id
    from judged
    order by judged.user_id  -- two circles with the same people in them never wait for each other
  loop
    -- Two meetings judged at the same moment would each not see what the other found: one after the other, too.
    perform
    from app.user_campuses as directory
    where directory.user_id = v_user_id
    for no key update;

    perform audit.record('user.stayed_away', p_campus_id, v_user_id, p_time_slot);

    if (
      select count(*)
      from app.circle_members as places
      where places.user_id = v_user_id
        and places.campus_id = p_campus_id
        and places.time_slot > p_now - v_memory
        and places.attended = false
    ) >= v_patience then
      update app.user_campuses as directory
      set suspended_until = v_until
      where directory.user_id = v_user_id
        and coalesce(directory.suspended_until, '-infinity') < v_until;

      if found then
        perform app.emit(
          p_campus_id, 'user:' || v_user_id, 'profile', app.profile(p_campus_id, v_user_id) - 'blocked'
        );
        perform audit.record(
          'user.suspended_by_rule', p_campus_id, v_user_id, null, jsonb_build_object('until', v_until, 'reason', 'no_shows')
        );
      end if;
    end if;
  end loop;
end;
$function$;

comment on function app.judge_no_shows(text, timestamptz, uuid[], timestamptz) is
'Take for a fact what two circle-mates said about staying away; the third time in the last 30 days suspends for 7 days.';

revoke all on function app.judge_no_shows(text, timestamptz, uuid[], timestamptz) from public;

-- source: db/functions/app/known_meetings.sql
-- app.known_meetings(p_campus_id, p_people, p_time_slot, …): who of these people had met, as the matching of the slot knows it.
--
-- People are places in p_people, so that nobody has to look up 100,000 ids again. Each pair once. All of them, or only those
-- who sit together (p_seats: the circle of each, 0 for none), or only those of whom one is in p_of.
--
-- Before the matching, what app.meetings says. After it, what it said then, from the books: circles that were formed before,
-- in slots that had not been called off by then, with the places that had not been given up by then, in the circle where
-- they were by then.
--
-- All: one pass with hashes of the people beside it, however few pairs the planner expects: where campuses are many it
-- expects one instead of 100,000, and would look through the whole list for each. (Grouped, it knows that people are
-- different; otherwise it makes a hash of all pairs instead.) Some: by the indexes, for `limit` and `offset` leave no other way.

create or replace function app.known_meetings(
  p_campus_id text,
  p_people uuid[],
  p_time_slot timestamptz,
  p_seats integer[] default null,
  p_of integer[] default null
)
returns table (a integer, b integer, meetings_count integer, last_met_at timestamptz)
language plpgsql
stable
rows 100000
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_nestloop = off
set enable_mergejoin = off
as $function$
declare
  v_matched_at timestamptz := (
    select slots.matched_at
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  );
begin
  if v_matched_at is null and p_seats is not null then
    return query
    with people as materialized (
      select listed.user_id, listed.circle, listed.place::integer as place
      from unnest(p_people, p_seats) with ordinality as listed (user_id, circle, place)
      where listed.circle > 0
    )

    select ones.place, others.place, met.meetings_count, met.last_met_at
    from people as ones
    inner join people as others
      on others.circle = ones.circle
      and others.user_id > ones.user_id
    cross join lateral (
      select meetings.meetings_count, meetings.last_met_at
      from app.meetings
      where meetings.campus_id = p_campus_id
        and meetings.user_a = ones.user_id
        and meetings.user_b = others.user_id
      limit 1
    ) as met;
    return;
  end if;

  if v_matched_at is null and p_of is not null then
    return query
    with people as materialized (
      select listed.user_id, listed.place::integer as place, listed.place = any(p_of) as is_of
      from unnest(p_people) with ordinality as listed (user_id, place)
    ),

    met as (
      select people.place, seconds.user_b as other_id, seconds.meetings_count, seconds.last_met_at, false as backwards
      from people
      cross join lateral (
        select meetings.user_b, meetings.meetings_count, meetings.last_met_at
        from app.meetings
        where meetings.campus_id = p_campus_id
          and meetings.user_a = people.user_id
        offset 0
      ) as seconds
      where people.is_of
      union all
      select people.place, firsts.user_a, firsts.meetings_count, firsts.last_met_at, true
      from people
      cross join lateral (
        select meetings.user_a, meetings.meetings_count, meetings.last_met_at
        from app.meetings
        where meetings.campus_id = p_campus_id
          and meetings.user_b = people.user_id
        offset 0
      ) as firsts
      where people.is_of
    )

    select met.place, people.place, met.meetings_count, met.last_met_at
    from met
    inner join people on people.user_id = met.other_id
    where not (met.backwards and people.is_of);  -- found from the other side
    return;
  end if;

  if v_matched_at is null then
    return query
    with people as not materialized (
      select listed.user_id, min(listed.place)::integer as place
      from unnest(p_people) with ordinality as listed (user_id, place)
      group by listed.user_id
    )

    select ones.place, others.place, meetings.meetings_count, meetings.last_met_at
    from app.meetings
    inner join people as ones on ones.user_id = meetings.user_a
    inner join people as others on others.user_id = meetings.user_b
    where meetings.campus_id = p_campus_id
      and meetings.user_a = any(p_people);
    return;
  end if;

  return query
  with places as materialized (
    select
      people.place::integer as place,
      members.time_slot,
      case when members.moved_at > v_matched_at then members.moved_from else members.circle_no end as circle_no
    from app.circle_members as members
    inner join unnest(p_people) with ordinality as people (user_id, place) on people.user_id = members.user_id
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = members.time_slot
    where members.campus_id = p_campus_id
      and members.user_id = any(p_people)
      and (slots.matched_at, slots.time_slot) < (v_matched_at, p_time_slot)
      and coalesce(slots.cancelled_at > v_matched_at, true)
      and coalesce(members.cancelled_at > v_matched_at, true)
  )

  select ones.place, others.place, count(*)::integer, max(ones.time_slot)
  from places as ones
  inner join places as others
    on others.time_slot = ones.time_slot
    and others.circle_no = ones.circle_no
    and others.place > ones.place
  where (p_seats is null or p_seats[ones.place] = p_seats[others.place] and p_seats[ones.place] > 0)
    and (p_of is null or ones.place = any(p_of) or others.place = any(p_of))
  group by ones.place, others.place;
end;
$function$;

comment on function app.known_meetings(text, uuid[], timestamptz, integer[], integer[]) is
'Who of these members has met whom, as places in the list, each pair once: as it stands, or for a slot that was matched, as it stood then. With p_seats only who sits together, with p_of only pairs with one of these.';

revoke all on function app.known_meetings(text, uuid[], timestamptz, integer[], integer[]) from public;

-- source: db/functions/app/known_wishes.sql
-- app.known_wishes(p_campus_id, p_people, p_time_slot): what these people said of each other, as the matching of the slot knows it.
--
-- People are places in p_people, as in app.known_meetings(). Before the matching, all that was said of earlier slots; after
-- it, what had been said by then. A low rating of a meeting is about everybody who was there.

create or replace function app.known_wishes(p_campus_id text, p_people uuid[], p_time_slot timestamptz)
returns table (a integer, b integer, apart boolean, again boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_until timestamptz := (
    select coalesce(slots.matched_at, 'infinity')
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  );
begin
  v_until := coalesce(v_until, 'infinity');

  return query
  with people as materialized (
    select listed.user_id, listed.place::integer as place
    from unnest(p_people) with ordinality as listed (user_id, place)
  ),

  said as (
    select people.place, about.about_id, about.meet_again
    from people
    inner join app.feedback_about as about
      on about.campus_id = p_campus_id
      and about.user_id = people.user_id
      and about.meet_again is not null
      and about.time_slot < p_time_slot
    -- Nothing to look up before the matching: the planner sees the constant.
    where v_until = 'infinity'
      or exists (
        select
        from app.feedback
        where feedback.campus_id = p_campus_id
          and feedback.time_slot = about.time_slot
          and feedback.user_id = about.user_id
          and feedback.created_at <= v_until
      )
    union all
    select people.place, mates.user_id, false
    from people
    inner join app.feedback
      on feedback.campus_id = p_campus_id
      and feedback.user_id = people.user_id
      and feedback.rating <= 2
      and feedback.time_slot < p_time_slot
      and feedback.created_at <= v_until
    inner join app.circle_members as places
      on places.campus_id = p_campus_id
      and places.time_slot = feedback.time_slot
      and places.user_id = feedback.user_id
    inner join app.circle_members as mates
      on mates.campus_id = p_campus_id
      and mates.time_slot = feedback.time_slot
      and mates.user_id <> feedback.user_id
      and coalesce(mates.cancelled_at > v_until, true)
      and (case when mates.moved_at > v_until then mates.moved_from else mates.circle_no end)
      = (case when places.moved_at > v_until then places.moved_from else places.circle_no end)
  )

  select
    least(said.place, others.place),
    greatest(said.place, others.place),
    bool_or(not said.meet_again),
    count(distinct said.place) filter (where said.meet_again) = 2
  from said
  inner join people as others on others.user_id = said.about_id
  group by 1, 2;
end;
$function$;

comment on function app.known_wishes(text, uuid[], timestamptz) is
'What these members said of meeting each other, a row a pair, as places in the list, the smaller first: apart (either does not want to, or rated a meeting 2 or 1), again (both want to). As it stands, or for a slot that was matched, as it stood then.';

revoke all on function app.known_wishes(text, uuid[], timestamptz) from public;

-- source: db/functions/app/leave_ahead.sql
-- app.leave_ahead(p_campus_id, p_user_id): leave all lists that are not matched yet and all circles that have not begun to meet.
--
-- Whatever the clock says: a worker that is away for an hour must not keep a member from being deleted or suspended. A list
-- that is being matched is waited for; one whose deadline has passed, and which nobody has begun to match, is left as an open
-- one is, for a place could be given up a moment later, too. A meeting that is on has happened: nobody gets out of it any
-- more. Who calls holds the member's lock.
--
-- First all slots, in their order, then the pairs, if there is a circle to leave: app.lock_key() says why. The clock after the
-- last lock.

create or replace function app.leave_ahead(p_campus_id text, p_user_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_time_slots timestamptz[] := array(
    select entries.time_slot
    from app.waitlist_entries as entries
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = entries.time_slot
      and slots.ends_at > app.clock()
    where entries.campus_id = p_campus_id
      and entries.user_id = p_user_id
      and entries.left_at is null
    order by entries.time_slot
  );
  v_slot       app.time_slots;
  v_now        timestamptz;
begin
  perform app.use_campus_zone(p_campus_id);  -- the member is told, not the operator

  perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, ahead.time_slot))
  from unnest(v_time_slots) with ordinality as ahead (time_slot, number)
  order by ahead.number;
  if exists (
    select
    from app.circle_members as places
    where places.campus_id = p_campus_id
      and places.user_id = p_user_id
      and places.time_slot = any(v_time_slots)
      and places.cancelled_at is null
  ) then
    perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
  end if;
  v_now := app.clock();

  for v_slot in
    select slots.*
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = any(v_time_slots)
    order by slots.time_slot
  loop
    if v_slot.cancelled_at is not null or (v_slot.matched_at is not null and v_slot.time_slot <= v_now) then
      continue;
    elsif v_slot.matched_at is not null then
      perform app.leave_circle(p_campus_id, p_user_id, v_slot.time_slot, v_now);
    else
      -- As app.leave_waitlist(), which minds the deadline.
      update app.waitlist_entries as entries
      set left_at = greatest(v_now, entries.joined_at), version = app.next_version()
      where entries.campus_id = p_campus_id
        and entries.time_slot = v_slot.time_slot
        and entries.user_id = p_user_id;

      perform app.emit(
        p_campus_id, 'user:' || p_user_id, 'button', app.button(p_campus_id, p_user_id, v_slot.time_slot, v_now)::jsonb
      );
      perform audit.record('waitlist.left', p_campus_id, p_user_id, v_slot.time_slot);
    end if;
  end loop;
end;
$function$;

comment on function app.leave_ahead(text, uuid) is
'Leave all lists that are not matched yet and all circles that have not begun to meet.';

revoke all on function app.leave_ahead(text, uuid) from public;

-- source: db/functions/app/leave_circle.sql
-- app.leave_circle(p_campus_id, p_user_id, p_time_slot, p_now): give up a place in a circle that is still to meet.
--
-- The one way out of a circle: for who can't come (app.cancel_place()), and for who is deleted or suspended
-- (app.leave_ahead()). Circles that are too small then are mended (app.merge_circles()), and everyone concerned hears at
-- once whom they meet now. Who has met whom is counted anew for the pairs that this has parted or brought together.
--
-- Who is left alone by it met nobody, and counts as left out: the next matching places them first. Two who are left do meet.
--
-- Whether there was a place. Who calls holds the member's lock, shared the slot's, and the campus's pairs: so two who leave
-- one circle at the same moment take turns, and no wall goes up while circles are merged.

create or replace function app.leave_circle(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_now timestamptz
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_circle_no integer;
  v_merged    integer[];
  v_changed   integer[];
  v_before    uuid[];
  v_concerned uuid[];
begin
  update app.circle_members as places
  set cancelled_at = p_now, changes_count = places.changes_count + 1
  where places.campus_id = p_campus_id
    and places.time_slot = p_time_slot
    and places.user_id = p_user_id
    and places.cancelled_at is null
  returning places.circle_no into v_circle_no;

  if not found then
    return false;
  end if;

  v_before := app.circle_people(p_campus_id, p_time_slot, array[v_circle_no]);
  if v_before = '{}' then
    perform app.free_spot(p_campus_id, p_time_slot, v_circle_no, null);
  end if;
  v_merged := app.merge_circles(p_campus_id, p_time_slot, p_now);
  v_changed := array_remove(v_merged, v_circle_no) || v_circle_no;
  v_concerned := app.circle_people(p_campus_id, p_time_slot, v_changed);

  update app.circle_members as places
  set changes_count = places.changes_count + 1
  where places.campus_id = p_campus_id
    and places.time_slot = p_time_slot
    and places.user_id = any(v_concerned);
  update app.waitlist_entries as entries
  set version = app.next_version(), left_out = false
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = p_user_id;
  update app.waitlist_entries as entries
  set left_out = seats.alone
  from (
    select people.user_id, cardinality(people.mates) = 1 as alone
    from unnest(v_changed) as changed (circle_no)
    cross join lateral (select app.circle_people(p_campus_id, p_time_slot, array[changed.circle_no]) as mates) as circles
    cross join lateral (select mates.user_id, circles.mates from unnest(circles.mates) as mates (user_id)) as people
  ) as seats
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = seats.user_id
    and entries.left_out <> seats.alone;
  perform app.recount_pairs(p_campus_id, v_before || v_concerned || p_user_id);

  perform app.use_campus_zone(p_campus_id);
  perform app.emit(
    p_campus_id, 'user:' || p_user_id, 'button', app.button(p_campus_id, p_user_id, p_time_slot, p_now)::jsonb
  );
  perform audit.record('circle.left', p_campus_id, p_user_id, p_time_slot);

  insert into events.outbox (campus_id, channel, event, payload)
  select
    p_campus_id,
    'user:' || (mates.mate ->> 'userId'),
    'circle',
    facts.circle || jsonb_build_object(
      'reason', case when facts.circle_no = any(v_merged) then 'merged' else 'place_given_up' end
    )
  from unnest(v_changed) as changed (circle_no)
  cross join lateral app.circle_facts(p_campus_id, p_time_slot, changed.circle_no) as facts
  cross join lateral jsonb_array_elements(facts.circle -> 'members') as mates (mate);

  perform app.mail_circles(p_campus_id, p_time_slot, v_concerned || p_user_id);

  perform audit.record(
    'circle.below_minimum', p_campus_id, null, p_time_slot, facts.circle - 'members' - 'spot' - 'timeSlot' - 'belowMinimum'
  )
  from unnest(v_changed) as changed (circle_no)
  cross join lateral app.circle_facts(p_campus_id, p_time_slot, changed.circle_no) as facts
  where facts.circle -> 'belowMinimum' = 'true';

  return true;
end;
$function$;

comment on function app.leave_circle(text, uuid, timestamptz, timestamptz) is
'Give up a place in a circle that is still to meet, mend the circles, and tell everyone concerned; whether there was a place.';

revoke all on function app.leave_circle(text, uuid, timestamptz, timestamptz) from public;

-- source: db/functions/app/leave_waitlist.sql
-- app.leave_waitlist(p_campus_id, p_user_id, p_time_slot): take a member off the waitlist of one slot.
--
-- Repeatable: leaving twice, or without having joined, gives the same button and writes nothing. The row stays. Who left
-- in time may ask again after the deadline.
--
-- Made like app.join_waitlist(), for the same reasons.

create or replace function app.leave_waitlist(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns json
language plpgsql
volatile
as $function$
declare
  v_slot    record := app.enter_open_slot(p_campus_id, p_user_id, p_time_slot);
  v_version bigint;
  v_button  json;
begin
  -- Too late to write anything, and without the lock: a repetition is answered, all else refused.
  if not v_slot.is_open then
    if not exists (
      select
      from app.waitlist_entries as entries
      where entries.campus_id = p_campus_id
        and entries.time_slot = p_time_slot
        and entries.user_id = p_user_id
        and entries.left_at is not null
    ) then
      perform app.refuse('deadline_passed');
    end if;
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  -- greatest(): a clock that was turned back can't have someone leave before they came.
  update app.waitlist_entries as entries
  set left_at = greatest(v_slot.entered_at, entries.joined_at), version = app.next_version()
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = p_user_id
    and entries.left_at is null
  returning entries.version into v_version;

  if not found then
    return app.button(p_campus_id, p_user_id, p_time_slot, v_slot.entered_at);
  end if;

  v_button := app.slot_state(
    v_slot.entered_at, v_slot.time_zone, p_time_slot, v_slot.deadline_at, v_slot.ends_at, null, null,
    false, false, false, greatest(v_slot.version, v_version)
  );
  perform app.emit(p_campus_id, 'user:' || p_user_id, 'button', v_button::jsonb);
  perform audit.record('waitlist.left', p_campus_id, p_user_id, p_time_slot);
  return v_button;
end;
$function$;

comment on function app.leave_waitlist(text, uuid, timestamptz) is
'Take a member off the waitlist of one slot; returns the new button. Refuses no_campus, slot_not_found, account_deleted, slot_cancelled, deadline_passed.';

revoke all on function app.leave_waitlist(text, uuid, timestamptz) from public;

-- source: db/functions/app/limit_write.sql
-- app.limit_write(p_user_id): count a call that may write, and refuse it where the caller's bucket is empty.
--
-- A member has one bucket, whatever the session or gateway; its size follows app.users at once, not the token. Nobody
-- (null) is known by the network that the gateway names. What was refused afterwards is not counted here, as its
-- transaction rolls back, but by the gateway (decision 10).
--
-- A setting that only the local stack has (stack/postgresql.conf) turns it off, for load runs.
--
-- Definer: the request's role may not touch the buckets. Part of app.pre_request(), so it reads the request.
--
-- requires: app.refuse, ops.spend

create or replace function app.limit_write(p_user_id uuid)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_tier   text;
  v_caller text;
  v_left   record;
begin
  if current_setting('circle27.rate_limits', true) = 'off' then
    return;
  end if;

  if p_user_id is null then
    v_tier := case
      when current_setting('request.path', true) in (
        '/rpc/request_login_code', '/rpc/verify_login_code', '/rpc/refresh_session'
      ) then 'login'
      else 'anon'
    end;
    v_caller := format(
      '%s:%s', v_tier, nullif(current_setting('request.headers', true), '')::json ->> 'x-client-network'
    );
  else
    select users.tier
    into v_tier
    from app.user_campuses as directory
    inner join app.users
      on users.campus_id = directory.campus_id
      and users.user_id = p_user_id
    where directory.user_id = p_user_id;

    v_tier := coalesce(v_tier, 'user');
    v_caller := 'user:' || p_user_id;
  end if;

  v_left := ops.spend(v_caller, ops.calls_a_minute(v_tier), interval '1 minute');

  if v_left.remaining is null then
    perform app.refuse('rate_limited', jsonb_build_object(
      'Retry-After', v_left.retry_after::text,
      'RateLimit-Policy', format('"%s";q=%s;w=60', v_tier, ops.calls_a_minute(v_tier)),
      'RateLimit', format('"%s";r=0;t=%s', v_tier, v_left.retry_after)
    ));
  end if;

  v_caller := set_config(  -- a PERFORM would be a query
    'response.headers', format('[{"RateLimit": "\"%s\";r=%s"}]', v_tier, v_left.remaining), true
  );
end;
$function$;

comment on function app.limit_write(uuid) is
'Count a call that may write against the limit of the member, or of the network; tells what remains. Refuses rate_limited.';

revoke all on function app.limit_write(uuid) from public;
grant execute on function app.limit_write(uuid) to anon, authenticated;

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

-- source: db/functions/app/lock_for_matching.sql
-- app.lock_for_matching(p_campus_id, p_time_slot, p_wait): hold a slot alone: for matching and cancelling.
--
-- Waits for every join and leave that is under way. p_wait false: refuses slot_busy instead of waiting. Who catches that
-- holds neither of the two locks: what a block of code has locked is released when an error undoes it.

create or replace function app.lock_for_matching(p_campus_id text, p_time_slot timestamptz, p_wait boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_wait then
    perform pg_advisory_xact_lock(app.lock_key('slot', p_campus_id, p_time_slot));
    perform pg_advisory_xact_lock(app.lock_key('pairs', p_campus_id));
  elsif not pg_try_advisory_xact_lock(app.lock_key('slot', p_campus_id, p_time_slot))
    or not pg_try_advisory_xact_lock(app.lock_key('pairs', p_campus_id)) then
    perform app.refuse('slot_busy');
  end if;
end;
$function$;

comment on function app.lock_for_matching(text, timestamptz, boolean) is
'Hold a slot alone, to the end of the transaction. p_wait false: now or not at all. Refuses slot_busy.';

revoke all on function app.lock_for_matching(text, timestamptz, boolean) from public;

-- source: db/functions/app/lock_key.sql
-- app.lock_key(p_kind, p_name, p_at): the advisory lock of a thing, and the order in which locks are taken.
--
--   0. 'service' <what>              exclusive: a trusted server that writes for many members in one call.
--   1. 'member' <user_id>            exclusive: whatever a member writes. Two devices of one member take turns.
--   2. 'slot' <campus_id>, <slot>    shared: joining and leaving; exclusive: matching and cancelling.
--   3. 'pairs' <campus_id>           shared: blocking; exclusive: matching, cancelling and giving up a place, which read
--                                    the walls, deal the campus's spots, and write who has met whom.
--
-- Each is held to the end of the transaction. Waiting only ever for a later kind keeps everyone out of a circle of
-- waiting; two cases need more. A member who joins several slots in one call holds several of kind 2: so nobody who holds
-- one exclusively waits for another (app.run_due_deadlines() tries), and nobody who holds the pairs waits at all. A
-- trusted server that writes for many takes a member's lock while it holds a slot: at worst PostgreSQL puts the queue in
-- another order, after a second (tried: no error).
--
-- Advisory, not row locks: at the last minute each join would write to the one hot row of the slot (measured: a third
-- of the throughput). An advisory lock costs next to nothing. Two things may share a number (64 bits): then they wait
-- for each other once in an age, and nothing else happens. Any instant has a key, infinity and the year 294276 too: that
-- there is no such slot is found out with the lock held.

create or replace function app.lock_key(p_kind text, p_name text, p_at timestamptz default null)
returns bigint
language sql
stable
parallel safe
as $function$
  select pg_catalog.hashtextextended(
    p_kind || ' ' || p_name,
    case when isfinite(p_at) then (extract(epoch from p_at) * 1000)::pg_catalog.int8 else 0 end
  )
$function$;

comment on function app.lock_key(text, text, timestamptz) is
'The key of the advisory lock of a member, of a slot, or of the pairs of a campus.';

revoke all on function app.lock_key(text, text, timestamptz) from public;

-- source: db/functions/app/lock_member.sql
-- app.lock_member(p_user_id): whatever a member writes, one thing after the other, and nothing after the last.
--
-- The call that waited here may have been let in when the account was still there: so it is asked again, with the lock held.

create or replace function app.lock_member(p_user_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pg_advisory_xact_lock(app.lock_key('member', p_user_id::text));

  if exists (
    select
    from app.user_campuses as directory
    where directory.user_id = p_user_id
      and directory.closed_at is not null
  ) then
    perform app.refuse('account_deleted');
  end if;
end;
$function$;

comment on function app.lock_member(uuid) is
'Hold what a member writes, to the end of the transaction. Refuses account_deleted.';

revoke all on function app.lock_member(uuid) from public;

-- source: db/functions/app/mail_circles.sql
-- app.mail_circles(p_campus_id, p_time_slot, p_user_ids, p_pause): have these members told by e-mail what became of their places.
--
-- Only who wants mail, and not after the end. After a pause: mail must not compete with the stream, by which everybody hears
-- at once, and who changes their mind gets one mail instead of two.

create or replace function app.mail_circles(
  p_campus_id text, p_time_slot timestamptz, p_user_ids uuid[], p_pause interval default '10 seconds'
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_life       interval := (
    select slots.ends_at - app.clock()
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  );
  v_user_ids   uuid[];
  v_recipients text[];
begin
  if coalesce(v_life, '0') <= interval '0' then
    return;
  end if;

  select array_agg(users.user_id order by users.user_id), array_agg(users.email order by users.user_id)
  into v_user_ids, v_recipients
  from app.users
  where users.campus_id = p_campus_id
    and users.user_id = any(p_user_ids)
    and users.circle_mail;

  perform identity.queue_circle_mails(p_campus_id, p_time_slot, v_user_ids, v_recipients, v_life, p_pause);
end;
$function$;

comment on function app.mail_circles(text, timestamptz, uuid[], interval) is
'Put a mail about the circle for each of these members who wants one into the queue.';

revoke all on function app.mail_circles(text, timestamptz, uuid[], interval) from public;

-- source: db/functions/app/mail_slot.sql
-- app.mail_slot(p_campus_id, p_time_slot): have everybody told by e-mail who has a place in a circle of this slot.
--
-- Who gave the place up was told then.
--
-- Definer: the identity functions, which run the queue, call it as circle27_auth, and read no table of the app.

create or replace function app.mail_slot(p_campus_id text, p_time_slot timestamptz)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.mail_circles(
    p_campus_id,
    p_time_slot,
    array(
      select places.user_id
      from app.circle_members as places
      where places.campus_id = p_campus_id
        and places.time_slot = p_time_slot
        and places.cancelled_at is null
    ),
    interval '0'
  );
end;
$function$;

comment on function app.mail_slot(text, timestamptz) is
'Put a mail for everybody who has a place in a circle of this slot, and wants one, into the queue.';

revoke all on function app.mail_slot(text, timestamptz) from public;
grant execute on function app.mail_slot(text, timestamptz) to circle27_auth;

-- source: db/functions/app/match_time_slot.sql
-- app.match_time_slot(p_campus_id, p_time_slot, p_seed): form the circles of one slot. Once.
--
-- One transaction: circles, places, spots, who has met whom, events and trail, or nothing. The exclusive lock waits for
-- every join that was accepted, and none is accepted after it. Repeatable: whoever comes second, a scheduler or a person,
-- finds the report of the first. All that is drawn comes from the seed, which is stored.
--
-- Not after the end, if anyone is on the list: they would be asked for feedback on what never took place. (Cancelling is
-- what is left then; app.run_due_deadlines() does it.)

create or replace function app.match_time_slot(p_campus_id text, p_time_slot timestamptz, p_seed bigint default null)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_campus app.campuses;
  v_slot   app.time_slots;
  v_now    timestamptz;
  v_seed   bigint := coalesce(p_seed, (random() * 9007199254740991)::bigint);  -- exact in JSON
  v_people uuid[];
  v_drawn  record;
  v_report jsonb;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  perform app.lock_for_matching(p_campus_id, p_time_slot, true);
  v_now := app.clock();

  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses slot_not_found, slot_cancelled
  if v_slot.matched_at is not null then
    return v_slot.match_report;
  end if;
  if v_now < v_slot.deadline_at then
    perform app.refuse('deadline_not_reached');
  end if;

  v_people := app.drawn_order(p_campus_id, p_time_slot, v_seed);
  if v_now >= v_slot.ends_at and cardinality(v_people) > 0 then
    perform app.refuse('slot_ended');
  end if;

  select campuses.*
  into strict v_campus
  from app.campuses
  where campuses.campus_id = p_campus_id;

  perform app.use_campus_zone(p_campus_id);
  select drawn.circles, drawn.quality, drawn.inputs
  into v_drawn
  from app.draw_circles(v_campus, v_people, p_time_slot, v_seed) as drawn;
  v_report := jsonb_build_object(
    'campusId', p_campus_id, 'timeSlot', p_time_slot, 'matchedAt', v_now, 'seed', v_seed
  ) || app.seat_circles(v_slot, v_people, v_drawn.circles, v_seed) || jsonb_build_object('quality', v_drawn.quality);

  update app.time_slots as slots
  set matched_at = v_now, version = app.next_version(), match_seed = v_seed, match_report = v_report,
    match_inputs = v_drawn.inputs
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  perform app.emit_slot(p_campus_id, p_time_slot, v_now);
  perform app.emit_circles(p_campus_id, p_time_slot);  -- first: who sees `confirmed` knows with whom
  perform app.emit_buttons(p_campus_id, p_time_slot, v_now);
  if cardinality(v_people) > 0 then
    perform identity.queue_slot_mails(p_campus_id, p_time_slot, v_slot.ends_at - v_now);
  end if;
  perform audit.record('slot.matched', p_campus_id, null, p_time_slot, v_report);

  return v_report;
end;
$function$;

comment on function app.match_time_slot(text, timestamptz, bigint) is
'Form the circles of one slot, once: {campusId, timeSlot, matchedAt, seed, people, circles, leftOut, repeatedPairs, circlesWithoutSpot, quality}. Refuses no_campus, slot_not_found, slot_cancelled, deadline_not_reached, slot_ended.';

revoke all on function app.match_time_slot(text, timestamptz, bigint) from public;

-- source: db/functions/app/match_weights.sql
-- app.match_weights(): what each thing costs in a matching. Stored with every run; docs/matching.md explains them.
--
-- Greater by so much that the order holds: one more repeat costs more than all that can be said about any one pair, a repeat
-- within the gap more than all other repeats of two circles. `algorithm` changes when the same seed may give other circles.

create or replace function app.match_weights()
returns jsonb
language sql
immutable
parallel safe
as $function$
  select jsonb_build_object(
    'algorithm', 2,
    'wall', 50000000,    -- a block, either way: never
    'gap', 100000,       -- a repeat within the campus's minimum gap
    'repeat', 1000,      -- a repeat
    'recent', 200,       -- more for a recent one; half of it after 30 days, a third after 60
    'fair', 25,          -- more for each repeat that either of the two had in the last 30 days, four of each at most
    'apart', 150,        -- more if either did not want to meet again, or rated a meeting with the other 2 or 1
    'again', 100,        -- all in all, if both want to meet again and the gap is over
    'risk', 50,          -- the square of how many of a circle may not come, one more in a circle of the least size
    'mix', 20,           -- two with the same value of the attribute to mix
    'near', 900          -- two strangers who have met all the same people, of 32 or fewer; less among more
  )
$function$;

comment on function app.match_weights() is
'What each thing costs in a matching: {algorithm, wall, gap, repeat, recent, fair, apart, again, risk, mix, near}.';

revoke all on function app.match_weights() from public;

-- source: db/functions/app/matched_slot.sql
-- app.matched_slot(p_campus_id, p_time_slot): a slot that was matched, with what the matching kept of what it knew then.
--
-- Called off or not: what was matched may be looked at. Holds no lock.

create or replace function app.matched_slot(p_campus_id text, p_time_slot timestamptz)
returns app.time_slots
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot app.time_slots;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select slots.*
  into v_slot
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if not found then
    perform app.refuse('slot_not_found');
  end if;
  if v_slot.matched_at is null then
    perform app.refuse('not_matched_yet');
  end if;
  if v_slot.match_inputs is null then
    perform app.refuse('inputs_not_kept');
  end if;

  return v_slot;
end;
$function$;

comment on function app.matched_slot(text, timestamptz) is
'A slot that was matched, with what the matching kept. Refuses no_campus, slot_not_found, not_matched_yet, inputs_not_kept.';

revoke all on function app.matched_slot(text, timestamptz) from public;

-- source: db/functions/app/matching_inputs.sql
-- app.matching_inputs(p_campus, p_people, p_time_slot): what a matching knows of these people, and nothing else keeps.
--
-- The campus's rules, which may be changed; the walls, which may be taken down, as pairs of places in the list, so without a
-- name; and of each person what decides who is favoured. It is stored with the run: app.replay_matching() starts from it. The
-- list, the seed, who met whom and what was said are in the books: app.known_meetings(), app.known_wishes().
--
-- All is counted from the slot back, not from the moment of the matching: the same books give the same inputs.
--
-- A plan for each call, as in app.draw_circles().

create or replace function app.matching_inputs(p_campus app.campuses, p_people uuid[], p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_lately constant timestamptz := p_time_slot - interval '720 hours';
  v_inputs jsonb;
begin
  with listed as materialized (
    select people.user_id, people.place::integer as place
    from unnest(p_people) with ordinality as people (user_id, place)
  ),

  -- Left out lately; a hundred more for who was so the last time.
  missed as (
    select
      missing.user_id,
      missing.times + case when not exists (
        select
        from app.circle_members as places
        where places.campus_id = p_campus.campus_id
          and places.user_id = missing.user_id
          and places.time_slot > missing.last_at
          and places.time_slot < p_time_slot
      ) then 100 else 0 end as missed
    from (
      select entries.user_id, count(*)::integer as times, max(entries.time_slot) as last_at
      from app.waitlist_entries as entries
      inner join app.time_slots as slots
        on slots.campus_id = p_campus.campus_id
        and slots.time_slot = entries.time_slot
        and slots.cancelled_at is null
      where entries.campus_id = p_campus.campus_id
        and entries.left_out
        and entries.time_slot > c_lately
        and entries.time_slot < p_time_slot
      group by entries.user_id
    ) as missing
  ),

  stayed_away as (
    select places.user_id, count(*)::integer as times
    from app.circle_members as places
    where places.campus_id = p_campus.campus_id
      and places.attended = false
      and places.time_slot > c_lately
      and places.time_slot < p_time_slot
    group by places.user_id
  ),

  -- Repeats lately: pairs whose last meeting was not their first.
  repeated as (
    select sides.user_id, least(4, count(*))::integer as times
    from (
      select meetings.user_a as user_id
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.meetings_count > 1
        and meetings.last_met_at > c_lately
      union all
      select meetings.user_b
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.meetings_count > 1
        and meetings.last_met_at > c_lately
    ) as sides
    group by sides.user_id
  ),

  facts as (
    select
      listed.place,
      coalesce(missed.missed, 0) as missed,
      least(2, coalesce(stayed_away.times, 0)) as risk,
      coalesce(repeated.times, 0) as repeats,
      dense_rank() over (order by coalesce(users.attributes ->> p_campus.mix_attribute, '')) as class
    from listed
    left join missed on missed.user_id = listed.user_id
    left join stayed_away on stayed_away.user_id = listed.user_id
    left join repeated on repeated.user_id = listed.user_id
    left join app.users
      on p_campus.mix_attribute is not null
      and users.campus_id = p_campus.campus_id
      and users.user_id = listed.user_id
  ),

  walls as (
    select blockers.place as a, blocked.place as b
    from listed as blockers
    inner join app.blocks
      on blocks.campus_id = p_campus.campus_id
      and blocks.user_id = blockers.user_id
    inner join listed as blocked on blocked.user_id = blocks.blocked_id
  )

  select
    jsonb_build_object(
      'campus', jsonb_build_object(
        'campus_id', p_campus.campus_id,
        'size_min', p_campus.size_min,
        'size_target', p_campus.size_target,
        'size_max', p_campus.size_max,
        'min_gap_days', p_campus.min_gap_days,
        'mix_attribute', p_campus.mix_attribute
      ),
      'walls', (
        select coalesce(jsonb_agg(jsonb_build_array(walls.a, walls.b) order by walls.a, walls.b), '[]')
        from walls
      ),
      'missed', coalesce(jsonb_agg(facts.missed order by facts.place), '[]'),
      'risk', coalesce(jsonb_agg(facts.risk order by facts.place), '[]'),
      'repeats', coalesce(jsonb_agg(facts.repeats order by facts.place), '[]'),
      'class', coalesce(jsonb_agg(facts.class order by facts.place), '[]')
    )
  into v_inputs
  from facts;

  return v_inputs;
end;
$function$;

comment on function app.matching_inputs(app.campuses, uuid[], timestamptz) is
'What a matching knows and nothing else keeps: {campus: the columns that rule it, walls: [[place, place]], and a number for each person: missed (times left out in 30 days, a hundred more if also the last time), risk (no-shows in 30 days, at most 2), repeats (in 30 days, at most 4), class (of the attribute to mix)}.';

revoke all on function app.matching_inputs(app.campuses, uuid[], timestamptz) from public;

-- source: db/functions/app/member_circle.sql
-- app.member_circle(p_campus_id, p_user_id, p_time_slot, p_now): the circle of a member in one slot.

create or replace function app.member_circle(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot app.time_slots;
begin
  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses no_campus, slot_not_found, slot_cancelled

  return (
    select facts.circle
    from app.circle_facts(
      p_campus_id, p_time_slot, app.own_circle_no(p_campus_id, p_user_id, v_slot, p_now)
    ) as facts
  );
end;
$function$;

comment on function app.member_circle(text, uuid, timestamptz, timestamptz) is
'The circle of a member in one slot, as app.circle_facts() has it. Refuses no_campus, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle.';

revoke all on function app.member_circle(text, uuid, timestamptz, timestamptz) from public;

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

-- source: db/functions/app/merge_circles.sql
-- app.merge_circles(p_campus_id, p_time_slot, p_now): find other circles for those who sit in one below the campus's minimum.
--
-- First all of them together, in one circle that has room and no wall; else each in another one, if all find one. (To move
-- only some would leave the others more alone.) Who can't be helped stays, and is tried again when the next place is given
-- up, for that makes room. A circle that is left by all gives its spot to the one they went to, if that has none, or back to
-- the campus.
--
-- Nothing is drawn: the same circles are merged in the same way. Gives the numbers of the circles that took somebody in. Who
-- calls holds the campus's pairs.

create or replace function app.merge_circles(p_campus_id text, p_time_slot timestamptz, p_now timestamptz)
returns integer[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_campus    app.campuses;
  v_circle_no integer;
  v_people    uuid[];
  v_to        integer[];
  v_merged    integer[] := array[]::integer[];
begin
  select campuses.*
  into strict v_campus
  from app.campuses
  where campuses.campus_id = p_campus_id;

  for v_circle_no in
    select circles.circle_no
    from app.circles
    where circles.campus_id = p_campus_id
      and circles.time_slot = p_time_slot
      and (
        select count(*)
        from app.circle_members as places
        where places.campus_id = p_campus_id
          and places.time_slot = p_time_slot
          and places.circle_no = circles.circle_no
          and places.cancelled_at is null
      ) between 1 and v_campus.size_min - 1
    order by circles.circle_no
  loop
    -- It may have taken somebody in a moment ago, or have joined another.
    v_people := app.circle_people(p_campus_id, p_time_slot, array[v_circle_no]);
    continue when cardinality(v_people) not between 1 and v_campus.size_min - 1;

    v_to := app.seats_elsewhere(v_campus, p_time_slot, v_people, v_circle_no);
    continue when v_to is null;

    update app.circle_members as places
    set circle_no = moves.circle_no, moved_from = coalesce(places.moved_from, places.circle_no), moved_at = p_now
    from unnest(v_people, v_to) as moves (user_id, circle_no)
    where places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = moves.user_id;
    v_merged := v_merged || v_to;
    perform app.free_spot(p_campus_id, p_time_slot, v_circle_no, v_to[1]);
    perform audit.record(
      'circle.merged', p_campus_id, null, p_time_slot,
      jsonb_build_object('circleNo', v_circle_no, 'into', v_to)
    );
  end loop;

  return array(select distinct merged.circle_no from unnest(v_merged) as merged (circle_no) order by 1);
end;
$function$;

comment on function app.merge_circles(text, timestamptz, timestamptz) is
'Find other circles for those who sit in one below the minimum; the numbers of the circles that took somebody in.';

revoke all on function app.merge_circles(text, timestamptz, timestamptz) from public;

-- source: db/functions/app/my_circle_rows.sql
-- app.my_circle_rows(): where the rows of the caller's circles lie in app.circles. For the policy, which needs to find them.
--
-- A policy can't join, and no index is looked up by pairs of slot and number: through the key alone it would read every
-- circle of each slot that the caller was in (measured: 6 times the query without a policy at 10,000 members, and more
-- with more). It decides by app.my_places() all the same: an address out of place would hide a row and show none.
--
-- Stable, and must stay so: it looks with the snapshot of the query that asks, so each address is of the version that the
-- query sees, whatever is updated or vacuumed meanwhile.
--
-- Definer: asked by the policy of the table that it reads.

create or replace function app.my_circle_rows()
returns tid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select circles.ctid
    from app.circle_members as places
    inner join app.circles
      on circles.campus_id = places.campus_id
      and circles.time_slot = places.time_slot
      and circles.circle_no = places.circle_no
    where places.user_id = auth.uid()
      and places.cancelled_at is null
  );
end;
$function$;

comment on function app.my_circle_rows() is
'Where the rows of the circles that the caller is in lie in app.circles.';

revoke all on function app.my_circle_rows() from public;
grant execute on function app.my_circle_rows() to authenticated;

-- source: db/functions/app/my_id.sql
-- app.my_id(): who asks, or null: nobody, no member, or one who has deleted the account. For policies.
--
-- Functions ask app.current_member(); what is read through a view passes only the policies. A token of another issuer may
-- outlive the account by an hour or a year.
--
-- One question for both, as each costs where few rows are read (decision 12). And not auth.uid() in the policy itself: as
-- plain SQL it would be written into every query, and behind PgBouncer every query is planned anew.
--
-- Definer: members may not read the directory.

create or replace function app.my_id()
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select directory.user_id
    from app.user_campuses as directory
    where directory.user_id = auth.uid()
      and directory.closed_at is null
  );
end;
$function$;

comment on function app.my_id() is
'The member who asks; null for nobody, and for who has deleted the account.';

revoke all on function app.my_id() from public;
grant execute on function app.my_id() to authenticated;

-- source: db/functions/app/my_mates.sql
-- app.my_mates(): everyone with whom the caller is or was in a circle. For policies.
--
-- One array, so that a policy looks rows up by an index instead of asking about each.
--
-- Definer: members may not read each other's places until the policy, which asks this, says so.

create or replace function app.my_mates()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select distinct mates.user_id
    from app.circle_members as places
    inner join app.circle_members as mates
      on mates.campus_id = places.campus_id
      and mates.time_slot = places.time_slot
      and mates.circle_no = places.circle_no
      and mates.cancelled_at is null
    where places.user_id = auth.uid()
      and places.cancelled_at is null
      and mates.user_id <> places.user_id
  );
end;
$function$;

comment on function app.my_mates() is
'The user ids of everyone with whom the caller is or was in a circle.';

revoke all on function app.my_mates() from public;
grant execute on function app.my_mates() to authenticated;

-- source: db/functions/app/my_place_rows.sql
-- app.my_place_rows(): where the caller's places, and those of the mates, lie in app.circle_members. For the policy.
--
-- The caller's own with those that were given up; of others only those that were not. Why addresses, and why it must stay
-- stable: app.my_circle_rows().
--
-- Definer: a policy on app.circle_members that reads app.circle_members would ask itself for ever.

create or replace function app.my_place_rows()
returns tid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select mates.ctid
    from app.circle_members as places
    inner join app.circle_members as mates
      on mates.campus_id = places.campus_id
      and mates.time_slot = places.time_slot
      and mates.circle_no = places.circle_no
      and mates.cancelled_at is null
    where places.user_id = auth.uid()
      and places.cancelled_at is null

    union all

    select places.ctid
    from app.circle_members as places
    where places.user_id = auth.uid()
      and places.cancelled_at is not null
  );
end;
$function$;

comment on function app.my_place_rows() is
'Where the places of the caller, and of everyone in the same circles, lie in app.circle_members.';

revoke all on function app.my_place_rows() from public;
grant execute on function app.my_place_rows() to authenticated;

-- source: db/functions/app/my_places.sql
-- app.my_places(): the places of the caller that were not given up. For policies.
--
-- Definer: a policy on app.circle_members that reads app.circle_members would ask itself for ever.

create or replace function app.my_places()
returns table (campus_id text, time_slot timestamptz, circle_no integer)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select places.campus_id, places.time_slot, places.circle_no
  from app.circle_members as places
  where places.user_id = auth.uid()
    and places.cancelled_at is null;
end;
$function$;

comment on function app.my_places() is
'The circles that the caller is in: campus_id, time_slot, circle_no.';

revoke all on function app.my_places() from public;
grant execute on function app.my_places() to authenticated;

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

-- source: db/functions/app/online_users.sql
-- app.online_users(p_campus_id, p_user_id, p_user_ids): which of these circle-mates of a member are online.
--
-- Of who is no circle-mate, or walled off by either of the two, nothing is told: they look the same as who is offline.

create or replace function app.online_users(p_campus_id text, p_user_id uuid, p_user_ids uuid[])
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return array(
    select distinct streams.user_id
    from events.streams
    inner join events.gateways
      on gateways.gateway = streams.gateway
      and gateways.renewed_at > clock_timestamp() - interval '1 minute'
    where streams.campus_id = p_campus_id
      and streams.user_id = any(p_user_ids)
      and streams.expires_at > clock_timestamp()
      and exists (
        select
        from app.circle_members as places
        inner join app.circle_members as mates
          on mates.campus_id = p_campus_id
          and mates.time_slot = places.time_slot
          and mates.circle_no = places.circle_no
          and mates.user_id = streams.user_id
          and mates.cancelled_at is null
        where places.campus_id = p_campus_id
          and places.user_id = p_user_id
          and places.cancelled_at is null
          and mates.user_id <> p_user_id
      )
      and not exists (
        select
        from app.blocks
        where blocks.campus_id = p_campus_id
          and (blocks.user_id, blocks.blocked_id) in ((p_user_id, streams.user_id), (streams.user_id, p_user_id))
      )
    order by streams.user_id
  );
end;
$function$;

comment on function app.online_users(text, uuid, uuid[]) is
'Which of these circle-mates of a member hold a stream. Refuses no_campus.';

revoke all on function app.online_users(text, uuid, uuid[]) from public;

-- source: db/functions/app/open_seats.sql
-- app.open_seats(p_campus, p_time_slot, p_people, p_not): the circles of a slot that could take these people, all together.
--
-- There is room for them, no wall between any two, and it is large enough with them (or they are fewer than that now, and
-- two who would sit alone sit together). The best has rank 1: the fewest pairs who have met within the campus's minimum gap,
-- then the fewest meetings of any age, then the smallest circle, then the first number.

create or replace function app.open_seats(
  p_campus app.campuses,
  p_time_slot timestamptz,
  p_people uuid[],
  p_not integer[]
)
returns table (circle_no integer, rank integer)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
begin
  return query
  with circles as materialized (
    select places.circle_no, array_agg(places.user_id) as people
    from app.circle_members as places
    where places.campus_id = p_campus.campus_id
      and places.time_slot = p_time_slot
      and places.cancelled_at is null
      and places.circle_no <> all(p_not)
    group by places.circle_no
    having count(*) <= p_campus.size_max - cardinality(p_people)
  ),

  walls as materialized (
    select blocks.blocked_id as user_id
    from app.blocks
    where blocks.campus_id = p_campus.campus_id
      and blocks.user_id = any(p_people)
    union
    select blocks.user_id
    from app.blocks
    where blocks.campus_id = p_campus.campus_id
      and blocks.blocked_id = any(p_people)
  ),

  met as materialized (
    select
      others.user_id,
      sum(others.meetings_count) as meetings,
      count(*) filter (
        where others.last_met_at > p_time_slot - make_interval(hours => 24 * p_campus.min_gap_days)
      ) as lately
    from (
      select meetings.user_b as user_id, meetings.meetings_count, meetings.last_met_at
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.user_a = any(p_people)
      union all
      select meetings.user_a, meetings.meetings_count, meetings.last_met_at
      from app.meetings
      where meetings.campus_id = p_campus.campus_id
        and meetings.user_b = any(p_people)
    ) as others
    group by others.user_id
  )

  select
    circles.circle_no,
    row_number() over (
      order by
        cardinality(circles.people) + cardinality(p_people) < p_campus.size_min,
        coalesce(sum(met.lately), 0),
        coalesce(sum(met.meetings), 0),
        cardinality(circles.people),
        circles.circle_no
    )::integer
  from circles
  left join met on met.user_id = any(circles.people)
  where not exists (select from walls where walls.user_id = any(circles.people))
  group by circles.circle_no, circles.people;
end;
$function$;

comment on function app.open_seats(app.campuses, timestamptz, uuid[], integer[]) is
'The circles of a slot, but for p_not, that could take these members together, the best with rank 1.';

revoke all on function app.open_seats(app.campuses, timestamptz, uuid[], integer[]) from public;

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

-- source: db/functions/app/operator_campus.sql
-- app.operator_campus(p_campus_id, p_denied, p_time_slot, p_details): the campus on which the caller acts as an operator.
--
-- An operator's own, which need not be named; a trusted server's is the one that it names. Null for everybody else: the
-- attempt is in the trail as p_denied, and the caller of this returns app.denial('operators_only'), so that it stays there.
--
-- requires: app.refuse, app.is_service, app.current_member, app.is_operator

create or replace function app.operator_campus(
  p_campus_id text, p_denied text, p_time_slot timestamptz default null, p_details jsonb default null
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_member record;
begin
  if app.is_service() then
    if p_campus_id is null then
      perform app.refuse('no_campus');
    end if;
    return p_campus_id;
  end if;

  v_member := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
  if p_campus_id <> v_member.campus_id or not app.is_operator(v_member.campus_id, v_member.user_id) then
    perform audit.record(p_denied, v_member.campus_id, v_member.user_id, p_time_slot, p_details);
    return null;
  end if;
  return v_member.campus_id;
end;
$function$;

comment on function app.operator_campus(text, text, timestamptz, jsonb) is
'The campus on which the caller acts as an operator, or null, with p_denied in the trail. Refuses not_signed_in, no_campus, account_deleted, wrong_campus.';

revoke all on function app.operator_campus(text, text, timestamptz, jsonb) from public;

-- source: db/functions/app/pair_costs.sql
-- app.pair_costs(p_campus, p_people, p_repeats, p_time_slot, p_of): what it would cost that two who have met meet again.
--
-- As app.match_weights() has it; docs/matching.md explains it. People are places in p_people, with the repeats that each had of
-- late in p_repeats. Of all pairs, or of those only of whom one is in p_of.
--
-- A plan for each call, as in app.draw_circles(); and no sorting of 100,000 pairs for a few wishes.

create or replace function app.pair_costs(
  p_campus app.campuses,
  p_people uuid[],
  p_repeats integer[],
  p_time_slot timestamptz,
  p_of integer[] default null
)
returns table (a integer, b integer, repeat integer, fair integer, said integer)
language plpgsql
stable
rows 100000
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
set enable_mergejoin = off
as $function$
declare
  c_weight constant jsonb := app.match_weights();
  c_gap    constant integer := (c_weight ->> 'gap')::integer;
  c_repeat constant integer := (c_weight ->> 'repeat')::integer;
  c_recent constant integer := (c_weight ->> 'recent')::integer;
  c_fair   constant integer := (c_weight ->> 'fair')::integer;
  c_apart  constant integer := (c_weight ->> 'apart')::integer;
  c_again  constant integer := (c_weight ->> 'again')::integer;
  c_gap_from  constant timestamptz := p_time_slot - make_interval(hours => 24 * p_campus.min_gap_days);
  c_slot_time constant double precision := date_part('epoch', p_time_slot);
begin
  return query
  with pairs as (
    select
      meetings.a,
      meetings.b,
      meetings.last_met_at > c_gap_from as in_gap,
      -- Half of it after 30 days.
      (
        c_recent * 30 / (30 + greatest(0, (c_slot_time - date_part('epoch', meetings.last_met_at)) / 86400))
      )::integer as recent,
      c_fair * (p_repeats[meetings.a] + p_repeats[meetings.b]) as fair,
      coalesce(wishes.apart, false) as apart,
      coalesce(wishes.again and not wishes.apart, false) as again
    from app.known_meetings(p_campus.campus_id, p_people, p_time_slot, p_of => p_of) as meetings
    left join app.known_wishes(p_campus.campus_id, p_people, p_time_slot) as wishes
      on wishes.a = least(meetings.a, meetings.b)
      and wishes.b = greatest(meetings.a, meetings.b)
  )

  select
    pairs.a,
    pairs.b,
    case
      when pairs.in_gap then c_gap + pairs.recent
      when pairs.again then c_again
      else c_repeat + pairs.recent
    end,
    case when pairs.again and not pairs.in_gap then 0 else pairs.fair end,
    case when pairs.apart then c_apart else 0 end
  from pairs;
end;
$function$;

comment on function app.pair_costs(app.campuses, uuid[], integer[], timestamptz, integer[]) is
'What it would cost that two of these members, who have met, meet again: for the repeat, for the repeats that they had of late, for what they said. Places in the list, each pair once; with p_of only pairs with one of these.';

revoke all on function app.pair_costs(app.campuses, uuid[], integer[], timestamptz, integer[]) from public;

-- source: db/functions/app/pre_request.sql
-- app.pre_request(): what PostgREST calls before each request, as the request's role.
--
-- Refuses a member's token that lacks exp, aud or a uuid as sub: later code may take auth.uid() for granted.
-- (PostgREST has checked the signature, and exp and aud where they are present.) Keys of anon and service_role
-- have neither sub nor aud; a service_role key must end some day, so it needs exp.
--
-- A token of a session that was ended is refused, however long it would have lived.
--
-- Sets TimeZone: instants without an offset are read in it, and answers are written in it. The token's `tz`,
-- else the zone of the member's campus, else UTC. A broken tz is refused: read in another zone than
-- the client's, "11:00" would silently be another slot.
--
-- Counts what may write against the caller's limit. Reads run in READ ONLY transactions, where nothing can be counted:
-- the gateway does. A trusted server has no limit.
--
-- It is part of every call, so it does no more, and has no settings of its own: it runs as the request's role, and
-- could only harm that.

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
  -- Two conditions, not one: other roles may not even name what is in identity.
  if current_user = 'authenticated' and v_claims -> 'session_id' is not null then
    if identity.session_is_over((v_claims ->> 'session_id')::uuid) then
      perform app.refuse('session_over');
    end if;
  end if;

  if current_user <> 'service_role' and current_setting('transaction_read_only') = 'off' then
    perform app.limit_write(case current_user when 'authenticated' then (v_claims ->> 'sub')::uuid end);
  end if;
end;
$function$;

comment on function app.pre_request() is
'Before each request: refuses malformed tokens and ended sessions, sets TimeZone, counts what may write. Refuses token_invalid, session_over, rate_limited.';

revoke all on function app.pre_request() from public;
grant execute on function app.pre_request() to anon, authenticated, service_role;

-- source: db/functions/app/profile.sql
-- app.profile(p_campus_id, p_user_id): a member as they see themselves. No e-mail address, not even here.
--
-- Whom they block, too; by name only if they were in a circle together: a block must not be a way to learn names.

create or replace function app.profile(p_campus_id text, p_user_id uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select jsonb_build_object(
      'userId', users.user_id,
      'campusId', users.campus_id,
      'timeZone', campuses.time_zone,
      'displayName', users.display_name,
      'tier', users.tier,
      'attributes', users.attributes,
      'circleMail', users.circle_mail,
      'suspendedUntil', (
        select directory.suspended_until
        from app.user_campuses as directory
        where directory.user_id = p_user_id
          and directory.suspended_until > clock_timestamp()
      ),
      'blocked',
      coalesce(
        (
          select jsonb_agg(
            jsonb_build_object(
              'userId', others.user_id,
              'displayName', case when exists (
                select
                from app.circle_members as own
                inner join app.circle_members as mates
                  on mates.campus_id = p_campus_id
                  and mates.time_slot = own.time_slot
                  and mates.user_id = others.user_id
                  and mates.circle_no = own.circle_no
                where own.campus_id = p_campus_id
                  and own.user_id = p_user_id
              ) then others.display_name end
            )
            order by blocks.created_at, others.user_id
          )
          from app.blocks
          inner join app.users as others
            on others.campus_id = p_campus_id
            and others.user_id = blocks.blocked_id
          where blocks.campus_id = p_campus_id
            and blocks.user_id = p_user_id
        ),
        '[]'
      )
    )
    from app.users
    inner join app.campuses on campuses.campus_id = p_campus_id
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id
  );
end;
$function$;

comment on function app.profile(text, uuid) is
'A member as they see themselves: {userId, campusId, timeZone, displayName, tier, attributes, circleMail, suspendedUntil, blocked: [{userId, displayName or null}]}.';

revoke all on function app.profile(text, uuid) from public;

-- source: db/functions/app/recount_meetings.sql
-- app.recount_meetings(p_campus_id, p_time_slot): count anew who has met whom, for the pairs of one slot's circles.
--
-- From the books: circles whose slot was not cancelled, places that were not given up. Called with the campus's 'pairs'
-- lock held.

create or replace function app.recount_meetings(p_campus_id text, p_time_slot timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  with pairs as (
    select ones.user_id as user_a, others.user_id as user_b
    from app.circle_members as ones
    inner join app.circle_members as others
      on others.campus_id = p_campus_id
      and others.time_slot = p_time_slot
      and others.circle_no = ones.circle_no
      and others.user_id > ones.user_id
    where ones.campus_id = p_campus_id
      and ones.time_slot = p_time_slot
  ),

  gone as (
    delete from app.meetings
    using pairs
    where meetings.campus_id = p_campus_id
      and meetings.user_a = pairs.user_a
      and meetings.user_b = pairs.user_b
      and not exists (select from app.counted_meetings(p_campus_id, pairs.user_a, pairs.user_b))
  )

  update app.meetings
  set meetings_count = counted.meetings_count, last_met_at = counted.last_met_at
  from pairs
  cross join lateral app.counted_meetings(p_campus_id, pairs.user_a, pairs.user_b) as counted
  where meetings.campus_id = p_campus_id
    and meetings.user_a = pairs.user_a
    and meetings.user_b = pairs.user_b;
end;
$function$;

comment on function app.recount_meetings(text, timestamptz) is
'Count anew who has met whom, for the pairs of one slot''s circles.';

revoke all on function app.recount_meetings(text, timestamptz) from public;

-- source: db/functions/app/recount_pairs.sql
-- app.recount_pairs(p_campus_id, p_user_ids): count anew who has met whom, for every two of these few members.
--
-- From the books, as app.recount_meetings() does for a whole slot; here a pair may be new, too. Called with the campus's
-- 'pairs' lock held.

create or replace function app.recount_pairs(p_campus_id text, p_user_ids uuid[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  with people as (
    select distinct listed.user_id
    from unnest(p_user_ids) as listed (user_id)
  ),

  pairs as materialized (
    select ones.user_id as user_a, others.user_id as user_b, counted.meetings_count, counted.last_met_at
    from people as ones
    inner join people as others on others.user_id > ones.user_id
    left join lateral app.counted_meetings(p_campus_id, ones.user_id, others.user_id) as counted on true
  ),

  gone as (
    delete from app.meetings
    using pairs
    where meetings.campus_id = p_campus_id
      and meetings.user_a = pairs.user_a
      and meetings.user_b = pairs.user_b
      and pairs.meetings_count is null
  )

  insert into app.meetings as meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
  select p_campus_id, pairs.user_a, pairs.user_b, pairs.meetings_count, pairs.last_met_at
  from pairs
  where pairs.meetings_count is not null
  on conflict on constraint meetings_pkey do update
  set meetings_count = excluded.meetings_count, last_met_at = excluded.last_met_at
  where meetings.meetings_count <> excluded.meetings_count
    or meetings.last_met_at <> excluded.last_met_at;
end;
$function$;

comment on function app.recount_pairs(text, uuid[]) is
'Count anew who has met whom, for every two of these members.';

revoke all on function app.recount_pairs(text, uuid[]) from public;

-- source: db/functions/app/refuse.sql
-- app.refuse(p_slug, p_headers): raise a refusal of the registry. The only place that raises.
--
-- SQLSTATE PTnnn becomes HTTP status nnn, MESSAGE and HINT go to people, DETAIL (the slug) to programs. With headers
-- (constant names, values of our own making) the same four go out by SQLSTATE PGRST: PTnnn would lose the headers.
-- A slug that is not in the registry is our own mistake, and says so. Nothing of the input is ever repeated.
--
-- requires: app.error_registry

create or replace function app.refuse(p_slug text, p_headers jsonb default null)
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

  if p_headers is not null then
    raise exception '%', json_build_object(
      'code', 'PT' || v_error.status, 'message', v_error.message, 'details', p_slug, 'hint', v_error.hint
    )
      using errcode = 'PGRST', detail = json_build_object('status', v_error.status, 'headers', p_headers);
  end if;

  raise exception '%', v_error.message
    using errcode = 'PT' || v_error.status, detail = p_slug, hint = v_error.hint;
end;
$function$;

comment on function app.refuse(text, jsonb) is
'Raise the refusal of this slug: SQLSTATE PTnnn, DETAIL the slug, HINT what to do next; PGRST where it has headers.';

revoke all on function app.refuse(text, jsonb) from public;
grant execute on function app.refuse(text, jsonb) to anon, authenticated, service_role, circle27_auth;

-- source: db/functions/app/register_user.sql
-- app.register_user(p_email, p_display_name): the member with this address, registered first if new or gone.
--
-- The campus follows from the e-mail domain, matched whole. Repeatable, and safe beside itself: the unique key
-- on the address decides; who loses takes back its line in the directory. A name given later changes nothing.
--
-- Definer: identity functions, which have seen the proof of the address, call it as circle27_auth.

create or replace function app.register_user(p_email text, p_display_name text default null)
returns table (campus_id text, user_id uuid, created boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_email     text := lower(btrim(p_email));
  v_campus_id text;
  v_user_id   uuid;
begin
  v_campus_id := app.email_campus(v_email);  -- refuses email_invalid, email_domain_unknown

  select users.user_id
  into v_user_id
  from app.users
  where users.campus_id = v_campus_id
    and users.email = v_email;

  if found then
    return query values (v_campus_id, v_user_id, false);
    return;
  end if;

  begin
    -- Who deleted the account and comes back is the same member: what others have walled off stays so.
    -- The address is no name to show to others, not even its first half.
    update app.users
    set email = v_email, display_name = coalesce(btrim(p_display_name), 'New member')
    where users.campus_id = v_campus_id
      and users.email = identity.address_pseudonym(v_email)
    returning users.user_id into v_user_id;

    if found then
      update app.user_campuses as directory
      set closed_at = null
      where directory.user_id = v_user_id;

      perform audit.record('user.returned', v_campus_id, v_user_id);
      return query values (v_campus_id, v_user_id, true);
      return;
    end if;

    v_user_id := gen_random_uuid();
    insert into app.user_campuses (user_id, campus_id)
    values (v_user_id, v_campus_id);

    insert into app.users (campus_id, user_id, email, display_name)
    values (v_campus_id, v_user_id, v_email, coalesce(btrim(p_display_name), 'New member'))
    on conflict on constraint users_campus_id_email_key do nothing;
  exception
    when check_violation then
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
grant execute on function app.register_user(text, text) to circle27_auth;

-- source: db/functions/app/replay_matching.sql
-- app.replay_matching(p_campus_id, p_time_slot): match a slot of the past again, on paper, and compare.
--
-- With the list, the seed, the rules and the walls of then, and who had met by then. `same` says whether the same people sit
-- together. If not, the algorithm is another one, or the books were changed by hand; and the numbers say which is better: how
-- many pairs had met before, how many within the minimum gap, how many are left out. The circles as they were formed, before
-- any place was given up.
--
-- Writes nothing and holds no lock.

create or replace function app.replay_matching(p_campus_id text, p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_slot   app.time_slots := app.matched_slot(p_campus_id, p_time_slot);  -- refuses what can't be looked at again
  v_campus app.campuses;
  v_people uuid[];
  v_then   integer[];
  v_now    integer[];
begin
  v_campus := jsonb_populate_record(null::app.campuses, v_slot.match_inputs -> 'campus');
  v_people := app.drawn_order(p_campus_id, p_time_slot, v_slot.match_seed);
  v_then := array(
    select coalesce(places.moved_from, places.circle_no)
    from unnest(v_people) with ordinality as people (user_id, number)
    left join app.circle_members as places
      on places.campus_id = p_campus_id
      and places.time_slot = p_time_slot
      and places.user_id = people.user_id
    order by people.number
  );
  v_now := (app.draw_circles(v_campus, v_people, p_time_slot, v_slot.match_seed)).circles;

  return (
    with seats as materialized (
      -- A circle is named by the first of its people in the drawn order: so two drawings can number it as they like.
      select
        drawings.name as drawing,
        people.number,
        drawings.circles[people.number] as circle_no,
        case
          when drawings.circles[people.number] is not null
            then min(people.number) over (partition by drawings.name, drawings.circles[people.number])
        end as first_one
      from (values ('then', v_then), ('now', v_now)) as drawings (name, circles)
      cross join generate_series(1, cardinality(v_people)) as people (number)
    ),

    repeats as materialized (
      select
        ones.drawing,
        count(*) as pairs,
        count(*) filter (
          where met.last_met_at > p_time_slot - make_interval(hours => 24 * v_campus.min_gap_days)
        ) as within_gap
      from app.known_meetings(p_campus_id, v_people, p_time_slot) as met
      inner join seats as ones on ones.number = met.a
      inner join seats as others
        on others.number = met.b
        and others.drawing = ones.drawing
        and others.circle_no = ones.circle_no
      group by ones.drawing
    ),

    drawings as (
      select
        seats.drawing,
        jsonb_build_object(
          'circles', count(distinct seats.circle_no),
          'leftOut', count(*) - count(seats.circle_no),
          'repeatedPairs', coalesce(max(repeats.pairs), 0),
          'repeatedWithinGap', coalesce(max(repeats.within_gap), 0)
        ) as facts
      from seats
      left join repeats on repeats.drawing = seats.drawing
      group by seats.drawing
    ),

    others as (
      select count(*) as people
      from seats as ones
      inner join seats as again
        on again.number = ones.number
        and again.drawing = 'now'
      where ones.drawing = 'then'
        and ones.first_one is distinct from again.first_one
    )

    select jsonb_build_object(
      'campusId', p_campus_id,
      'timeSlot', p_time_slot,
      'matchedAt', v_slot.matched_at,
      'seed', v_slot.match_seed,
      'people', cardinality(v_people),
      'same', others.people = 0,
      'seatedElsewhere', others.people,
      'then', (select drawings.facts from drawings where drawings.drawing = 'then'),
      'now', (select drawings.facts from drawings where drawings.drawing = 'now')
    )
    from others
  );
end;
$function$;

comment on function app.replay_matching(text, timestamptz) is
'Match a slot of the past again, with what was known then, and compare: {campusId, timeSlot, matchedAt, seed, people, same, seatedElsewhere, then and now: {circles, leftOut, repeatedPairs, repeatedWithinGap}}. Refuses no_campus, slot_not_found, not_matched_yet, inputs_not_kept.';

revoke all on function app.replay_matching(text, timestamptz) from public;

-- source: db/functions/app/report_user.sql
-- app.report_user(p_campus_id, p_user_id, p_time_slot, p_reported_id, p_reason, p_comment): tell the operators about a mate.
--
-- Repeatable: the same words again give the same answer; other words are refused. The reported hears nothing of it.
-- It is kept when either of the two deletes the account: the other members need it.

create or replace function app.report_user(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_reported_id uuid,
  p_reason text,
  p_comment text
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_comment text := nullif(btrim(p_comment), '');
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_reason is null or p_reason not in ('harassment', 'no_show', 'fake', 'other') or length(v_comment) > 2000 then
    perform app.refuse('report_invalid');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted

  -- One who gave up the place before the meeting can still be told about: perhaps that is why they went. Who gave it up can
  -- tell about those who were there then; of who came afterwards not even that they did is theirs to find out.
  if not exists (
    select
    from app.circle_members as own
    inner join app.circle_members as mates
      on mates.campus_id = p_campus_id
      and mates.time_slot = p_time_slot
      and mates.user_id = p_reported_id
      and mates.circle_no = own.circle_no
      and coalesce(own.cancelled_at > mates.moved_at, true)
    where own.campus_id = p_campus_id
      and own.time_slot = p_time_slot
      and own.user_id = p_user_id
      and p_reported_id <> p_user_id
  ) then
    perform app.refuse('not_a_mate');
  end if;

  insert into app.reports (campus_id, time_slot, user_id, reported_id, reason, comment, created_at)
  values (p_campus_id, p_time_slot, p_user_id, p_reported_id, p_reason, v_comment, app.clock())
  on conflict on constraint reports_pkey do nothing;

  if found then
    perform audit.record(
      'user.reported', p_campus_id, p_user_id, p_time_slot,
      jsonb_build_object('reportedId', p_reported_id, 'reason', p_reason)
    );
  elsif not exists (
    select
    from app.reports
    where reports.campus_id = p_campus_id
      and reports.time_slot = p_time_slot
      and reports.user_id = p_user_id
      and reports.reported_id = p_reported_id
      and reports.reason = p_reason
      and reports.comment is not distinct from v_comment
  ) then
    perform app.refuse('report_given');
  end if;

  return jsonb_build_object('userId', p_reported_id, 'timeSlot', p_time_slot, 'reported', true);
end;
$function$;

comment on function app.report_user(text, uuid, timestamptz, uuid, text, text) is
'Tell the operators about a circle-mate: {userId, timeSlot, reported}. Refuses no_campus, account_deleted, report_invalid, not_a_mate, report_given.';

revoke all on function app.report_user(text, uuid, timestamptz, uuid, text, text) from public;

-- source: db/functions/app/require_plain_call.sql
-- app.require_plain_call(): refuse a call whose answer PostgREST is asked to filter, cast or order.
--
-- For functions that count what goes wrong and return app.denial(). PostgREST runs the caller's filters in the same
-- statement, after the function: one that fails only on a denial (`?pgrst_scalar->>details=like.login\`, a pattern that
-- ends in its escape character) rolled the counting back, and codes could be guessed for ever (tried). The statement is all that
-- tells; what the caller wrote stands in it as parameters only. So this must come before anything else, and raises.
--
-- The same goes for a GeoJSON answer, where the database has PostGIS: its ST_AsGeoJSON fails on whatever has no geometry. And for
-- two preferences that roll back by themselves: tx=rollback, where the configuration allows it, and max-affected, which newer
-- PostgREST know.
--
-- LIMIT and OFFSET stand in every statement where PostgREST has db-max-rows. Numbers can't fail: who cuts the answer
-- away is counted and learns nothing, or (limit=0) the function is not called at all.

create or replace function app.require_plain_call()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if current_query() ~ 'pgrst_source.*\m(WHERE|CAST|ORDER|ST_AsGeoJSON)\M'
    or nullif(current_setting('request.headers', true), '')::json ->> 'prefer' ~* '\m(tx *= *rollback|max-affected)\M'
  then
    perform app.refuse('call_not_plain');
  end if;
end;
$function$;

comment on function app.require_plain_call() is
'Refuse a call with filters on its answer, or preferences, that could undo what the call counts. Refuses call_not_plain.';

revoke all on function app.require_plain_call() from public;

-- source: db/functions/app/run_due_deadlines.sql
-- app.run_due_deadlines(p_limit, p_skip): match every slot whose deadline has passed. The worker calls it.
--
-- No memory and no schedule: due is what has passed its deadline and is neither matched nor cancelled. So an outage is
-- caught up with by the next call, and any number of schedulers may call at once: the slot's lock lets one do it. A slot
-- with people on its list whose end has passed, too, was missed: it is cancelled.
--
-- First it takes what nobody holds, so that several schedulers share the work; if all is held, it waits for the first.
-- While it holds a slot it waits for no other (app.lock_key() says why): what someone holds just then, and what is beyond
-- p_limit, is left for the next call and counted in `left`. With p_limit 1 each slot is a transaction of its own, and its
-- members hear of it before the next one is begun.
--
-- A slot that fails (a mistake of ours, or the time-out) is undone alone and named in `failed`. It stays due: who calls
-- lets it rest by naming it in p_skip, [{"campusId", "timeSlot"}]. After a time-out the call ends, for a statement has
-- only one.
--
-- Definer: the worker holds no right on the tables.

create or replace function app.run_due_deadlines(
  p_limit integer default null,
  p_skip jsonb default '[]'
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now     timestamptz := app.clock();
  v_wait    boolean;
  v_slot    record;
  v_held    boolean := false;
  v_done    integer := 0;
  v_left    integer;
  v_slug    text;
  v_matched jsonb := '[]'::jsonb;
  v_missed  jsonb := '[]'::jsonb;
  v_failed  jsonb := '[]'::jsonb;
begin
  <<due>>
  foreach v_wait in array array[false, true] loop
    exit when v_held;
    v_left := 0;

    for v_slot in
      select slots.campus_id, slots.time_slot, slots.ends_at
      from app.time_slots as slots
      where slots.deadline_at <= v_now
        and slots.matched_at is null
        and slots.cancelled_at is null
        and not exists (
          select
          from jsonb_to_recordset(p_skip) as skipped ("campusId" text, "timeSlot" timestamptz)
          where skipped."campusId" = slots.campus_id
            and skipped."timeSlot" = slots.time_slot
        )
      order by slots.deadline_at, slots.campus_id, slots.time_slot
    loop
      if v_done >= p_limit then
        v_left := v_left + 1;
        continue;
      end if;

      begin
        perform app.lock_for_matching(v_slot.campus_id, v_slot.time_slot, v_wait and not v_held);

        -- Somebody else may have done it a moment ago.
        if exists (
          select
          from app.time_slots as slots
          where slots.campus_id = v_slot.campus_id
            and slots.time_slot = v_slot.time_slot
            and slots.matched_at is null
            and slots.cancelled_at is null
        ) then
          if app.clock() >= v_slot.ends_at and exists (
            select
            from app.waitlist_entries as entries
            where entries.campus_id = v_slot.campus_id
              and entries.time_slot = v_slot.time_slot
              and entries.left_at is null
          ) then
            v_missed := v_missed || (
              app.cancel_time_slot(v_slot.campus_id, v_slot.time_slot, 'missed')
              || jsonb_build_object('campusId', v_slot.campus_id)
            );
          else
            v_matched := v_matched || app.match_time_slot(v_slot.campus_id, v_slot.time_slot);
          end if;
          v_done := v_done + 1;
        end if;
        v_held := true;  -- not before: an error gives the lock back
      exception
        when query_canceled or others then
          get stacked diagnostics v_slug = pg_exception_detail;
          if v_slug = 'slot_busy' then
            v_left := v_left + 1;
          else
            v_failed := v_failed || jsonb_build_object(
              'campusId', v_slot.campus_id, 'timeSlot', v_slot.time_slot, 'code', sqlstate, 'message', sqlerrm
            );
          end if;
          exit due when sqlstate = '57014';
      end;
    end loop;
  end loop;

  return jsonb_build_object(
    'matched', v_matched,
    'missed', v_missed,
    'failed', v_failed,
    'left', v_left,
    'now', v_now,
    'nextDeadlineAt', (
      select min(slots.deadline_at)
      from app.time_slots as slots
      where slots.deadline_at > v_now
        and slots.matched_at is null
        and slots.cancelled_at is null
    )
  );
end;
$function$;

comment on function app.run_due_deadlines(integer, jsonb) is
'Match every slot whose deadline has passed, p_limit at most, none of p_skip: {matched: [report], missed: [slot and campusId], failed: [{campusId, timeSlot, code, message}], left: due and left for the next call, now, nextDeadlineAt}.';

revoke all on function app.run_due_deadlines(integer, jsonb) from public;
grant execute on function app.run_due_deadlines(integer, jsonb) to circle27_worker;

-- source: db/functions/app/seat_circles.sql
-- app.seat_circles(p_slot, p_people, p_circles, p_seed): write the circles down: spots, places, who has met whom.
--
-- A spot is dealt to one circle at a time: not while another slot's circle, with any minute in common, has it (the key
-- circles_spot_free would refuse that). Where the spots run out, circles have none. Called with the campus's 'pairs' lock held.
--
-- Not a plan for each call, as in app.draw_circles(): that would hold for the checks of the foreign keys, too, and plan one
-- anew for each row (measured: a sixth of the matching of 2,500 people). So nothing here joins two lists.

create or replace function app.seat_circles(p_slot app.time_slots, p_people uuid[], p_circles integer[], p_seed bigint)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set work_mem = '64MB'
as $function$
declare
  v_left_out uuid[] := array(
    select seats.user_id from unnest(p_people, p_circles) as seats (user_id, circle_no) where seats.circle_no is null
  );
  v_repeated integer;
  v_spotless integer;
  v_count    integer := coalesce((select max(circles.number) from unnest(p_circles) as circles (number)), 0);
begin
  with free_spots as (
    select
      spots.spot_id,
      row_number() over (order by hashtextextended(spots.spot_id, p_seed), spots.spot_id) as number
    from app.meeting_spots as spots
    where spots.campus_id = p_slot.campus_id
      and spots.closed_at is null
      and not exists (
        select
        from app.circles as booked
        where booked.campus_id = p_slot.campus_id
          and booked.spot_id = spots.spot_id
          and not booked.called_off
          and tstzrange(booked.time_slot, booked.ends_at) && tstzrange(p_slot.time_slot, p_slot.ends_at)
      )
  )

  insert into app.circles (campus_id, time_slot, circle_no, spot_id, ends_at)
  select p_slot.campus_id, p_slot.time_slot, numbers.circle_no, free_spots.spot_id, p_slot.ends_at
  from generate_series(1, v_count) as numbers (circle_no)
  left join free_spots on free_spots.number = numbers.circle_no;

  insert into app.circle_members (campus_id, time_slot, user_id, circle_no)
  select p_slot.campus_id, p_slot.time_slot, seats.user_id, seats.circle_no
  from unnest(p_people, p_circles) as seats (user_id, circle_no)
  where seats.circle_no is not null;

  -- Whoever got no place comes first the next time.
  update app.waitlist_entries as entries
  set left_out = true
  where entries.campus_id = p_slot.campus_id
    and entries.time_slot = p_slot.time_slot
    and entries.user_id = any(v_left_out);

  with circles as (
    select array_agg(seats.user_id order by seats.user_id) as people
    from unnest(p_people, p_circles) as seats (user_id, circle_no)
    where seats.circle_no is not null
    group by seats.circle_no
  ),

  met as (
    insert into app.meetings as meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
    select p_slot.campus_id, ones.user_id, others.user_id, 1, p_slot.time_slot
    from circles
    cross join lateral unnest(circles.people) with ordinality as ones (user_id, number)
    cross join lateral unnest(circles.people[ones.number + 1:]) as others (user_id)
    on conflict on constraint meetings_pkey do update
    set meetings_count = meetings.meetings_count + 1,
      last_met_at = greatest(meetings.last_met_at, excluded.last_met_at)
    returning meetings.meetings_count
  )

  select count(*) filter (where met.meetings_count > 1)
  into v_repeated
  from met;

  select count(*)
  into v_spotless
  from app.circles
  where circles.campus_id = p_slot.campus_id
    and circles.time_slot = p_slot.time_slot
    and circles.spot_id is null;

  return jsonb_build_object(
    'people', cardinality(p_people),
    'circles', v_count,
    'leftOut', cardinality(v_left_out),
    'repeatedPairs', v_repeated,
    'circlesWithoutSpot', v_spotless
  );
end;
$function$;

comment on function app.seat_circles(app.time_slots, uuid[], integer[], bigint) is
'Write the circles of one slot down; returns {people, circles, leftOut, repeatedPairs, circlesWithoutSpot}.';

revoke all on function app.seat_circles(app.time_slots, uuid[], integer[], bigint) from public;

-- source: db/functions/app/seat_people.sql
-- app.seat_people(...): a circle for each person: walls, sizes, and who is left out. Not yet: whom they have met.
--
-- In this order of weight:
--   1. Walls hold: nobody sits with someone from whom a wall parts them.
--   2. Sizes hold, and as few as possible are left out: nobody, wherever a split into the allowed sizes exists.
--   3. Nobody is left out twice running, if anybody else could be.
--   4. Sizes are balanced: they differ by one at most, where the walls permit.
--
-- app.seat_walled() seats those with walls, first into balanced circles, then into any allowed sizes and numbers of
-- circles, then leaving out one more, then leaving out those with the most walls; all others fill up, the smallest circle
-- first. p_missed: how often each was left out of late, 100 more for who was so the last time.
--
-- Gives the circle number of each person, 0 for who is left out.
--
-- requires: app.circle_count

create or replace function app.seat_people(
  p_people integer,
  p_size_min integer,
  p_size_target integer,
  p_size_max integer,
  p_wall_a integer[],
  p_wall_b integer[],
  p_missed integer[],
  p_seed bigint
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_last_time  constant integer := 100;                   -- of p_missed: was left out the last time
  c_seat_steps constant integer := 20000 + 4 * p_people;  -- of one search; 0.03 s
  c_all_seats  constant integer := 10 * c_seat_steps;     -- of all searches together
  v_spread      bigint := abs(p_seed % 2147483647);
  v_walled      integer[];  -- the people with walls, most walls first
  v_wall_start  integer[];
  v_wall_with   integer[];
  v_kept        boolean[];  -- who of them was left out the last time
  v_people_kept integer := (select count(*) from unnest(p_missed) as people (missed) where people.missed >= c_last_time);
  v_circles     integer;
  v_circle_of   integer[] := array_fill(-1, array[p_people]);  -- not null: in an array with nulls each look counts from the first
  v_size        integer[];
  v_room        integer[];
  v_seat        integer[];
  v_seat_steps  integer := c_all_seats;
  v_wall_rest   integer[];
  v_skip        integer := 0;  -- how many of those with the most walls are left out without a search
  v_left_out    integer;
  v_fillers     integer;
  v_free        integer;       -- how many of them were not left out the last time
  v_person      integer;
begin
  -- Walls as one flat list and where each one's part begins, by rank among the walled.
  with sides as (
    select distinct walls.a, walls.b
    from (
      select unnest(p_wall_a) as a, unnest(p_wall_b) as b
      union all
      select unnest(p_wall_b), unnest(p_wall_a)
    ) as walls
  ),

  ranks as (
    select counted.a as person, row_number() over (order by counted.walls desc, counted.a)::integer as rank
    from (select sides.a, count(*) as walls from sides group by sides.a) as counted
  )

  select
    array(select ranks.person from ranks order by ranks.rank),
    array(
      select 1 + coalesce(sum(count(sides.b)) over (order by ranks.rank rows between unbounded preceding and 1 preceding), 0)
      from ranks
      inner join sides on sides.a = ranks.person
      group by ranks.rank
      order by ranks.rank
    ),
    array(
      select others.rank
      from sides
      inner join ranks on ranks.person = sides.a
      inner join ranks as others on others.person = sides.b
      order by ranks.rank, others.rank
    )
  into v_walled, v_wall_start, v_wall_with;
  v_wall_start := v_wall_start || (cardinality(v_wall_with) + 1);
  v_kept := array(
    select p_missed[ranks.person] >= c_last_time
    from unnest(v_walled) with ordinality as ranks (person, rank)
    order by ranks.rank
  );
  v_fillers := p_people - cardinality(v_walled);
  v_free := (
    select count(*)
    from unnest(p_missed) with ordinality as people (missed, person)
    where people.missed < c_last_time
      and people.person <> all(v_walled)
  );

  -- Seats for those with walls.
  <<seating>>
  for v_out in 0 .. p_people loop
    v_left_out := v_out;
    v_circles := app.circle_count(p_people - v_out, p_size_min, p_size_target, p_size_max);
    continue when v_circles is null;

    -- Nobody twice running; if that can't be, one; and so on.
    for v_kept_out in 0 .. least(v_out, v_people_kept) loop
      -- Balanced: the first circles take one more, if the number does not divide.
      v_circles := app.circle_count(p_people - v_out, p_size_min, p_size_target, p_size_max);
      v_room := array(
        select (p_people - v_out) / v_circles + case when circle <= (p_people - v_out) % v_circles then 1 else 0 end
        from generate_series(1, v_circles) as numbers (circle)
      );
      v_seat := app.seat_walled(
        cardinality(v_walled), v_wall_start, v_wall_with, v_fillers, v_circles, v_room, p_size_min, v_out,
        v_kept, v_free, v_kept_out, v_spread, c_seat_steps
      );
      exit seating when v_seat is not null;

      -- Any sizes, any number of circles, the usual number first.
      for v_circles in
        select numbers.circles
        from generate_series(
          (p_people - v_out + p_size_max - 1) / p_size_max, (p_people - v_out) / p_size_min
        ) as numbers (circles)
        order by abs(numbers.circles - v_circles), numbers.circles
      loop
        v_room := array_fill(p_size_max, array[v_circles]);
        v_seat := app.seat_walled(
          cardinality(v_walled), v_wall_start, v_wall_with, v_fillers, v_circles, v_room, p_size_min, v_out,
          v_kept, v_free, v_kept_out, null, least(c_seat_steps, v_seat_steps)
        );
        exit seating when v_seat is not null;
        v_seat_steps := v_seat_steps - c_seat_steps;
        exit seating when v_seat_steps <= 0;
      end loop;
    end loop;
  end loop;

  -- Nothing found in the work allowed, or nobody to place: leave out those with the most walls, twice as many each time,
  -- until the others can sit. So who puts up a wall against everybody parts themselves from the others, and nobody else.
  while v_seat is null loop
    v_left_out := v_skip;
    while v_left_out < p_people
      and app.circle_count(p_people - v_left_out, p_size_min, p_size_target, p_size_max) is null loop
      v_left_out := v_left_out + 1;
    end loop;
    v_circles := coalesce(app.circle_count(p_people - v_left_out, p_size_min, p_size_target, p_size_max), 0);
    exit when v_circles = 0;

    -- The walls of the others, by their new ranks; a rank below 1 is nobody's.
    v_wall_rest := array(
      select walls.rank - v_skip
      from unnest(v_wall_with) with ordinality as walls (rank, number)
      order by walls.number
    );
    v_room := array(
      select (p_people - v_left_out) / v_circles + case when circle <= (p_people - v_left_out) % v_circles then 1 else 0 end
      from generate_series(1, v_circles) as numbers (circle)
    );
    v_seat := app.seat_walled(
      cardinality(v_walled) - v_skip, v_wall_start[v_skip + 1:], v_wall_rest, v_fillers, v_circles, v_room, p_size_min,
      v_left_out - v_skip, v_kept[v_skip + 1:], v_free, p_people, v_spread, c_seat_steps
    );
    if v_seat is null then
      -- As many circles as there can be: those with walls find room most easily.
      v_circles := (p_people - v_left_out) / p_size_min;
      v_room := array_fill(p_size_max, array[v_circles]);
      v_seat := app.seat_walled(
        cardinality(v_walled) - v_skip, v_wall_start[v_skip + 1:], v_wall_rest, v_fillers, v_circles, v_room, p_size_min,
        v_left_out - v_skip, v_kept[v_skip + 1:], v_free, p_people, null, c_seat_steps
      );
    end if;
    if v_seat is not null then
      v_seat := array_fill(0, array[v_skip]) || v_seat;
    end if;
    v_skip := least(greatest(1, 2 * v_skip), cardinality(v_walled));
  end loop;
  if v_circles = 0 then
    return array_fill(0, array[p_people]);
  end if;

  v_size := array_fill(0, array[v_circles]);
  for v_rank in 1 .. cardinality(v_walled) loop
    if v_seat[v_rank] > 0 then
      v_circle_of[v_walled[v_rank]] := v_seat[v_rank];
      v_size[v_seat[v_rank]] := v_size[v_seat[v_rank]] + 1;
    else
      v_circle_of[v_walled[v_rank]] := 0;
      v_left_out := v_left_out - 1;
    end if;
  end loop;

  -- Of the others those are left out who were so least of late, drawn among equals.
  foreach v_person in array array(
    select people.person
    from unnest(p_missed, v_circle_of) with ordinality as people (missed, circle, person)
    where people.circle = -1
    order by people.missed, hashint8extended(people.person, p_seed), people.person
    limit v_left_out
  ) loop
    v_circle_of[v_person] := 0;
  end loop;

  -- The rest fill up level by level, in their order: so what is alike and was put side by side is dealt to many circles.
  v_person := 0;
  v_fillers := v_fillers - v_left_out;
  <<filling>>
  for v_level in 1 .. p_size_max loop
    for v_circle in 1 .. v_circles loop
      exit filling when v_fillers <= 0;
      if v_size[v_circle] < v_level and v_size[v_circle] < v_room[v_circle] then
        loop
          v_person := v_person + 1;
          exit when v_circle_of[v_person] = -1;
        end loop;
        v_circle_of[v_person] := v_circle;
        v_size[v_circle] := v_size[v_circle] + 1;
        v_fillers := v_fillers - 1;
      end if;
    end loop;
  end loop;

  return v_circle_of;
end;
$function$;

comment on function app.seat_people(
  integer, integer, integer, integer, integer[], integer[], integer[], bigint
) is
'A circle for each of p_people, 0 for who is left out: walls and sizes hold, nobody is left out twice running without need.';

revoke all on function app.seat_people(
  integer, integer, integer, integer, integer[], integer[], integer[], bigint
) from public;

-- source: db/functions/app/seat_walled.sql
-- app.seat_walled(...): find circles for those between whom there are walls; the hard part of a matching.
--
-- Depth first, with steps back: each walled person in turn (most walls first) goes into a circle that has room and
-- nobody they must not meet, or is left out while p_left_out allows it. The others, p_fillers, go anywhere, so all that
-- is asked of them is their number. p_spread begins each search at another circle, which spreads people as chance would;
-- without it no two empty circles are both tried, which makes the search complete for small numbers.
--
-- p_kept: who of the walled was left out the last time. Of all people who were, p_kept_out at most are left out again;
-- p_free_fillers is how many of the others were not.
--
-- Gives the circle of each of the p_walled people (0 = left out), or null: there is no way, or none within p_steps.
-- Reads no table and no clock; the same arguments give the same answer.

create or replace function app.seat_walled(
  p_walled integer,
  p_wall_start integer[],
  p_wall_with integer[],
  p_fillers integer,
  p_circles integer,
  p_room integer[],
  p_size_min integer,
  p_left_out integer,
  p_kept boolean[],
  p_free_fillers integer,
  p_kept_out integer,
  p_spread bigint,
  p_steps integer
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_seat    integer[] := array_fill(-1, array[p_walled]);  -- -1: not yet; 0: left out
  v_tried   integer[] := array_fill(0, array[p_walled]);   -- how many choices of each were tried
  v_used    integer[] := array_fill(0, array[p_walled]);   -- circles in use before each was seated
  v_size    integer[] := array_fill(0, array[p_circles]);
  v_short   integer := p_circles * p_size_min;             -- people still missing to the minimum, over all circles
  v_out     integer := 0;
  v_again   integer := 0;                                  -- of those, who was left out the last time
  v_steps   integer := p_steps;
  v_at      integer := 1;
  v_circle  integer;
  v_choices integer;
  v_fits    boolean;
begin
  if p_left_out > p_walled + p_free_fillers + p_kept_out then
    return null;
  end if;

  while v_at between 1 and p_walled loop
    v_steps := v_steps - 1;
    if v_steps < 0 then
      return null;
    end if;

    -- Take this person up from where they sit, if we came back to them.
    v_circle := v_seat[v_at];
    if v_circle > 0 then
      v_size[v_circle] := v_size[v_circle] - 1;
      if v_size[v_circle] < p_size_min then
        v_short := v_short + 1;
      end if;
    elsif v_circle = 0 then
      v_out := v_out - 1;
      v_again := v_again - p_kept[v_at]::integer;
    end if;
    v_seat[v_at] := -1;

    v_choices := case when p_spread is null then least(v_used[v_at] + 1, p_circles) else p_circles end;
    v_fits := false;
    while not v_fits and v_tried[v_at] < v_choices loop
      v_circle := v_tried[v_at];
      if p_spread is not null then
        v_circle := (v_circle + (p_spread + v_at * 7919::bigint) % p_circles) % p_circles;
      end if;
      v_circle := v_circle + 1;
      v_tried[v_at] := v_tried[v_at] + 1;
      v_fits := v_size[v_circle] < p_room[v_circle];
      if v_fits then
        v_steps := v_steps - 1;
        for v_wall in p_wall_start[v_at] .. p_wall_start[v_at + 1] - 1 loop
          if v_seat[p_wall_with[v_wall]] = v_circle then
            v_fits := false;
            exit;
          end if;
        end loop;
      end if;
    end loop;

    if v_fits then
      v_seat[v_at] := v_circle;
      v_size[v_circle] := v_size[v_circle] + 1;
      if v_size[v_circle] <= p_size_min then
        v_short := v_short - 1;
      end if;
    elsif v_tried[v_at] <= v_choices
      and v_out < p_left_out
      and v_again + p_kept[v_at]::integer <= p_kept_out
    then
      v_tried[v_at] := v_choices + 1;
      v_seat[v_at] := 0;
      v_out := v_out + 1;
      v_again := v_again + p_kept[v_at]::integer;
    else
      -- No choice is left: back to the one before.
      v_tried[v_at] := 0;
      v_at := v_at - 1;
      continue;
    end if;

    -- Whoever is still to come must be able to fill every circle to its minimum, the left-out not counted; and as many of
    -- them as are still to be left out must be allowed to.
    if v_short <= p_walled - v_at + p_fillers - (p_left_out - v_out)
      and p_left_out - v_out <= p_walled - v_at + p_free_fillers + p_kept_out - v_again
    then
      if v_at < p_walled then
        v_used[v_at + 1] := greatest(v_used[v_at], v_seat[v_at]);
        v_tried[v_at + 1] := 0;
      end if;
      v_at := v_at + 1;
    end if;
  end loop;

  return case when v_at > p_walled then v_seat end;
end;
$function$;

comment on function app.seat_walled(
  integer, integer[], integer[], integer, integer, integer[], integer, integer, boolean[], integer, integer, bigint,
  integer
) is
'Circles for those between whom there are walls: the circle of each (0 = left out), or null if none was found within p_steps.';

revoke all on function app.seat_walled(
  integer, integer[], integer[], integer, integer, integer[], integer, integer, boolean[], integer, integer, bigint,
  integer
) from public;

-- source: db/functions/app/seats_elsewhere.sql
-- app.seats_elsewhere(p_campus, p_time_slot, p_people, p_circle_no): other circles of the slot for those of a small one.
--
-- All in one circle where that is possible; else each in a circle of their own, whoever has the least choice first. Null if
-- not everybody finds a seat. Where there is a choice: the fewest pairs who have met within the campus's minimum gap, then who
-- have met at all, then the smaller circle.

create or replace function app.seats_elsewhere(
  p_campus app.campuses,
  p_time_slot timestamptz,
  p_people uuid[],
  p_circle_no integer
)
returns integer[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_circle_no integer;
  v_user_id   uuid;
  v_taken     integer[] := array[p_circle_no];
  v_seats     jsonb := '{}'::jsonb;
begin
  select seats.circle_no
  into v_circle_no
  from app.open_seats(p_campus, p_time_slot, p_people, v_taken) as seats
  order by seats.rank
  limit 1;

  if found then
    return array_fill(v_circle_no, array[cardinality(p_people)]);
  end if;
  if cardinality(p_people) = 1 then
    return null;
  end if;

  for v_user_id in
    select people.user_id
    from unnest(p_people) as people (user_id)
    order by
      (select count(*) from app.open_seats(p_campus, p_time_slot, array[people.user_id], v_taken)),
      people.user_id
  loop
    select seats.circle_no
    into v_circle_no
    from app.open_seats(p_campus, p_time_slot, array[v_user_id], v_taken) as seats
    order by seats.rank
    limit 1;

    if not found then
      return null;
    end if;
    v_taken := v_taken || v_circle_no;
    v_seats := v_seats || jsonb_build_object(v_user_id, v_circle_no);
  end loop;

  return array(
    select (v_seats ->> people.user_id::text)::integer
    from unnest(p_people) with ordinality as people (user_id, number)
    order by people.number
  );
end;
$function$;

comment on function app.seats_elsewhere(app.campuses, timestamptz, uuid[], integer) is
'For each of these members the number of another circle of the slot that takes them; null if not everybody finds one.';

revoke all on function app.seats_elsewhere(app.campuses, timestamptz, uuid[], integer) from public;

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

-- source: db/functions/app/set_tier.sql
-- app.set_tier(p_campus_id, p_user_id, p_tier): make a member an operator, or pro, or take it back. Repeatable.
--
-- For who administers the database: no role of a request may call it. A function, and not an update by hand, so that who was
-- given power, and when, is in the trail.

create or replace function app.set_tier(p_campus_id text, p_user_id uuid, p_tier text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_before text;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  perform app.lock_member(p_user_id);  -- refuses account_deleted

  select users.tier
  into v_before
  from app.users
  where users.campus_id = p_campus_id
    and users.user_id = p_user_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;

  if v_before is distinct from p_tier then
    update app.users
    set tier = p_tier
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id;

    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'profile', app.profile(p_campus_id, p_user_id) - 'blocked'
    );
    perform audit.record(
      'user.tier_set', p_campus_id, p_user_id, null, jsonb_build_object('old', v_before, 'new', p_tier)
    );
  end if;

  return jsonb_build_object('userId', p_user_id, 'tier', p_tier);
end;
$function$;

comment on function app.set_tier(text, uuid, text) is
'Make a member user, pro or operator: {userId, tier}. Refuses no_campus, account_deleted, member_not_found.';

revoke all on function app.set_tier(text, uuid, text) from public;

-- source: db/functions/app/short_circles.sql
-- app.short_circles(p_campus_id, p_now): the circles that meet with fewer people than the campus wants, and could not be merged.
--
-- Read from the books, so it is never out of date. Those that are still to meet, or meeting now.

create or replace function app.short_circles(p_campus_id text, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return jsonb_build_object('circles', coalesce(
    (
      select jsonb_agg(facts.circle order by slots.time_slot, facts.circle_no)
      from app.time_slots as slots
      cross join lateral app.circle_facts(p_campus_id, slots.time_slot) as facts
      where slots.campus_id = p_campus_id
        -- A meeting is not longer than a day: so the key finds them.
        and slots.time_slot > p_now - interval '24 hours'
        and slots.ends_at > p_now
        and slots.matched_at is not null
        and slots.cancelled_at is null
        and facts.circle -> 'belowMinimum' = 'true'
    ),
    '[]'
  ));
end;
$function$;

comment on function app.short_circles(text, timestamptz) is
'The circles ahead, or meeting now, with fewer members than the campus''s minimum: {circles: [as app.circle_facts() has them]}. Refuses no_campus.';

revoke all on function app.short_circles(text, timestamptz) from public;

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
  perform app.emit_slot(p_campus_id, opened.time_slot, v_now)
  from unnest(v_opened) as opened (time_slot);
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

-- source: db/functions/app/own_circle_no.sql
-- app.own_circle_no(p_campus_id, p_user_id, p_slot, p_now): the number of the member's circle, or why there is none.
--
-- The one place that tells the reasons apart: not matched yet, on the list but no circle could be formed, not on the list
-- or the place was given up.
--
-- requires: app.slot_status

create or replace function app.own_circle_no(p_campus_id text, p_user_id uuid, p_slot app.time_slots, p_now timestamptz)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_circle_no integer := (
    select members.circle_no
    from app.circle_members as members
    where members.campus_id = p_campus_id
      and members.time_slot = p_slot.time_slot
      and members.user_id = p_user_id
      and members.cancelled_at is null
  );
begin
  if v_circle_no is not null then
    return v_circle_no;
  end if;
  if app.slot_status(p_now, p_slot.deadline_at, p_slot.ends_at, p_slot.matched_at, p_slot.cancelled_at)
    in ('open', 'matching') then
    perform app.refuse('not_matched_yet');
  end if;
  if exists (
    select
    from app.waitlist_entries as entries
    where entries.campus_id = p_campus_id
      and entries.time_slot = p_slot.time_slot
      and entries.user_id = p_user_id
      and entries.left_at is null
  ) and not exists (
    select
    from app.circle_members as members
    where members.campus_id = p_campus_id
      and members.time_slot = p_slot.time_slot
      and members.user_id = p_user_id
  ) then
    perform app.refuse('no_circle_formed');
  end if;

  perform app.refuse('no_circle');
  return null;
end;
$function$;

comment on function app.own_circle_no(text, uuid, app.time_slots, timestamptz) is
'The number of the member''s circle. Refuses not_matched_yet, no_circle_formed, no_circle.';

revoke all on function app.own_circle_no(text, uuid, app.time_slots, timestamptz) from public;

-- source: db/functions/app/slot_facts.sql
-- app.slot_facts(p_slot, p_now): what everyone may know of a slot. Instants are written in the session's TimeZone.
--
-- requires: app.slot_status

create or replace function app.slot_facts(p_slot app.time_slots, p_now timestamptz)
returns jsonb
language sql
stable
parallel safe
as $function$
  select jsonb_build_object(
    'timeSlot', p_slot.time_slot,
    'deadlineAt', p_slot.deadline_at,
    'endsAt', p_slot.ends_at,
    'slotStatus',
    app.slot_status(p_now, p_slot.deadline_at, p_slot.ends_at, p_slot.matched_at, p_slot.cancelled_at),
    'version', p_slot.version
  )
$function$;

comment on function app.slot_facts(app.time_slots, timestamptz) is
'What everyone may know of a slot at p_now: timeSlot, deadlineAt, endsAt, slotStatus, version.';

revoke all on function app.slot_facts(app.time_slots, timestamptz) from public;

-- source: db/functions/app/cancel_time_slot.sql
-- app.cancel_time_slot(p_campus_id, p_time_slot, p_reason): call a slot off, for good.
--
-- Repeatable: cancelling twice gives the same answer. Not after its end, for what took place did; unless nobody ran its
-- deadline until then (p_reason 'missed'). Circles that were formed stay in the books, but nobody in them has met: the
-- pairs are counted anew.
--
-- requires: app.slot_facts

create or replace function app.cancel_time_slot(
  p_campus_id text,
  p_time_slot timestamptz,
  p_reason text default 'called_off'
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_slot app.time_slots;
  v_now  timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  perform app.lock_for_matching(p_campus_id, p_time_slot, true);
  v_now := app.clock();

  select slots.*
  into v_slot
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if not found then
    perform app.refuse('slot_not_found');
  end if;

  if v_slot.cancelled_at is null then
    if v_now >= v_slot.ends_at and p_reason is distinct from 'missed' then
      perform app.refuse('slot_ended');
    end if;

    update app.time_slots as slots
    set cancelled_at = v_now, version = app.next_version()
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
    returning slots.* into v_slot;

    update app.circles
    set called_off = true
    where circles.campus_id = p_campus_id
      and circles.time_slot = p_time_slot;

    perform app.recount_meetings(p_campus_id, p_time_slot);
    perform app.emit_slot(p_campus_id, p_time_slot, v_now);
    perform app.emit_buttons(p_campus_id, p_time_slot, v_now);
    perform identity.queue_slot_mails(p_campus_id, p_time_slot, v_slot.ends_at - v_now);
    perform audit.record(
      'slot.cancelled', p_campus_id, null, p_time_slot, jsonb_build_object('reason', p_reason)
    );
  end if;

  perform app.use_campus_zone(p_campus_id);
  return app.slot_facts(v_slot, v_now);
end;
$function$;

comment on function app.cancel_time_slot(text, timestamptz, text) is
'Call a slot off; returns what everyone may know of it. Refuses no_campus, slot_not_found, slot_ended.';

revoke all on function app.cancel_time_slot(text, timestamptz, text) from public;

-- source: db/functions/app/emit_slot.sql
-- app.emit_slot(p_campus_id, p_time_slot, p_now): tell the campus what has become of a slot.
--
-- Instants are written in the campus's zone, whoever causes it: every event of a slot has the same form. How many are on
-- the list is told here only: the fact changes with each join, and app.emit_counts() tells that once a second.
--
-- requires: app.slot_facts

create or replace function app.emit_slot(p_campus_id text, p_time_slot timestamptz, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  perform app.use_campus_zone(p_campus_id);
  perform app.emit(p_campus_id, 'campus:' || p_campus_id, 'slot', app.slot_facts(slots, p_now) || jsonb_build_object(
    'joined',
    (
      select count(*)
      from app.waitlist_entries as entries
      where entries.campus_id = p_campus_id
        and entries.time_slot = p_time_slot
        and entries.left_at is null
    )
  ))
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;
end;
$function$;

comment on function app.emit_slot(text, timestamptz, timestamptz) is
'Put an event `slot` for the campus into the outbox: what everyone may know of the slot at p_now.';

revoke all on function app.emit_slot(text, timestamptz, timestamptz) from public;

-- source: db/functions/app/operator_slots.sql
-- app.operator_slots(p_campus_id, p_time_zone, p_day, p_now): the slots of a day as the campus's operators see them.
--
-- Numbers, and nobody's name. `filled` draws how a list grew: how many were on it at the end of each quarter of an hour in
-- which somebody came or went. Who left and came again counts from the last time.
--
-- requires: app.day_start
-- requires: app.slot_facts

create or replace function app.operator_slots(p_campus_id text, p_time_zone text, p_day date, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_quarter interval := interval '15 minutes';
  v_epoch   timestamptz := timestamptz '2000-01-01 00:00:00+00';
  v_slots   jsonb;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select jsonb_agg(
    app.slot_facts(slots, p_now) || jsonb_build_object(
      'onList', lists.on_list,
      'left', lists.gone,
      'filled', coalesce(curves.points, '[]'),
      'match', slots.match_report,
      'feedbackCount', said.given,
      'averageRating', said.average
    )
    order by slots.time_slot
  )
  into v_slots
  from app.time_slots as slots
  cross join lateral (
    select
      count(*) filter (where entries.left_at is null) as on_list,
      count(entries.left_at) as gone
    from app.waitlist_entries as entries
    where entries.campus_id = p_campus_id
      and entries.time_slot = slots.time_slot
  ) as lists
  cross join lateral (
    select jsonb_agg(jsonb_build_object('until', steps.until, 'onList', steps.on_list) order by steps.until) as points
    from (
      select
        date_bin(v_quarter, changes.changed_at, v_epoch) + v_quarter as until,
        sum(sum(changes.change)) over (order by date_bin(v_quarter, changes.changed_at, v_epoch)) as on_list
      from app.waitlist_entries as entries
      cross join lateral (values (entries.joined_at, 1), (entries.left_at, -1)) as changes (changed_at, change)
      where entries.campus_id = p_campus_id
        and entries.time_slot = slots.time_slot
        and changes.changed_at is not null
      group by date_bin(v_quarter, changes.changed_at, v_epoch)
    ) as steps
  ) as curves
  cross join lateral (
    select count(*) as given, round(avg(feedback.rating), 1) as average
    from app.feedback
    where feedback.campus_id = p_campus_id
      and feedback.time_slot = slots.time_slot
  ) as said
  where slots.campus_id = p_campus_id
    and slots.time_slot >= app.day_start(p_time_zone, p_day)
    and slots.time_slot < app.day_start(p_time_zone, p_day + 1);

  return coalesce(v_slots, '[]');
end;
$function$;

comment on function app.operator_slots(text, text, date, timestamptz) is
'The slots of a day as the campus''s operators see them at p_now, in order: what everyone may know, and {onList, left, filled: [{until, onList}], match, feedbackCount, averageRating}. Refuses no_campus.';

revoke all on function app.operator_slots(text, text, date, timestamptz) from public;

-- source: db/functions/app/operator_day.sql
-- app.operator_day(p_campus_id, p_day, p_now): a campus's day, and how the machinery does, for its operators.
--
-- requires: app.operator_slots

create or replace function app.operator_day(p_campus_id text, p_day date, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_at        timestamptz := clock_timestamp();  -- the outbox and the limits keep real time
  v_time_zone text;
  v_day       date;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
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
  perform set_config('TimeZone', v_time_zone, true);
  v_day := coalesce(p_day, (p_now at time zone v_time_zone)::date);

  return jsonb_build_object(
    'now', p_now,
    'campusId', p_campus_id,
    'timeZone', v_time_zone,
    'day', v_day,
    'slots', app.operator_slots(p_campus_id, v_time_zone, v_day, p_now),
    'outbox', (
      select jsonb_build_object(
        'waiting', count(*),
        'oldestSeconds', case when count(*) > 0 then round(extract(epoch from v_at - least(v_at, min(queue.emitted_at))), 3) end
      )
      from (
        select outbox.emitted_at
        from events.outbox
        where outbox.campus_id = p_campus_id
        order by outbox.id
        limit 1000  -- a longer queue is as bad, and counting it would not help
      ) as queue
    ),
    'limits', (
      select jsonb_agg(
        jsonb_build_object(
          'tier', tiers.tier,
          'callsAMinute', ops.calls_a_minute(tiers.tier),
          'callers', found.callers,
          'empty', found.empty
        )
        order by ops.calls_a_minute(tiers.tier)
      )
      from unnest('{user,pro,operator}'::text[]) as tiers (tier)
      cross join lateral (
        select
          count(*) as callers,
          count(*) filter (
            where buckets.full_at > v_at + interval '1 minute' - interval '1 minute' / ops.calls_a_minute(tiers.tier)
          ) as empty
        from ops.buckets
        inner join app.users
          on users.campus_id = p_campus_id
          and users.user_id = substr(buckets.caller, 6)::uuid
          and users.tier = tiers.tier
        where buckets.full_at > v_at
          and buckets.caller like 'user:%'
      ) as found
    )
  );
end;
$function$;

comment on function app.operator_day(text, date, timestamptz) is
'A campus''s day and how the machinery does: {now, campusId, timeZone, day, slots, outbox: {waiting, oldestSeconds}, limits: [{tier, callsAMinute, callers, empty}]}. Refuses no_campus, day_invalid, campus_not_found.';

revoke all on function app.operator_day(text, date, timestamptz) from public;

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
-- (json_build_object() costs twice as much). The status is asked for once, so that its line gives all that hangs on it. STABLE and not more, for instants in JSON follow TimeZone.
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
    '%s, "timeSlot": %s, "deadlineAt": %s, "endsAt": %s, "slotStatus": "%s, "version": %s}',
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
    case app.slot_status(p_now, p_deadline_at, p_ends_at, p_matched_at, p_cancelled_at)
      when 'open' then 'open", "pending": false, "changesAt": ' || to_json(p_deadline_at)::text
      when 'matching' then
        case
          when p_on_waitlist
            then 'matching", "pending": true, "changesAt": ' || to_json(p_now + interval '2 seconds')::text
          else 'matching", "pending": false, "changesAt": null'
        end
      when 'matched' then
        case
          when p_in_circle then 'matched", "pending": false, "changesAt": ' || to_json(p_ends_at)::text
          else 'matched", "pending": false, "changesAt": null'
        end
      when 'ended' then 'ended", "pending": false, "changesAt": null'
      when 'cancelled' then 'cancelled", "pending": false, "changesAt": null'
    end,
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
-- app.button(p_campus_id, p_user_id, p_time_slot, p_now): one slot as one member sees it, as stored now.
--
-- The same object as in app.day_states(). Null if the campus has no such slot.
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

  return v_state;
end;
$function$;

comment on function app.button(text, uuid, timestamptz, timestamptz) is
'One slot as one member sees it: the four keys of the button and what app.slot_state() puts around them; null if there is no such slot. Refuses no_campus.';

revoke all on function app.button(text, uuid, timestamptz, timestamptz) from public;

-- source: db/functions/app/day_states.sql
-- app.day_states(p_campus_id, p_user_id, p_time_zone, p_day, p_now): all slots of one day as one member sees them.
--
-- The hottest query there is: one statement, and each table is entered once, whatever the number of slots. The member's
-- rows of the day lie side by side in the index by member, so a look into each comes first; the slots then take theirs from
-- it. The day is the campus's: from its midnight to the next one; null means the day of p_now there.
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

  with entries as materialized (
    select
      waitlist_entries.time_slot,
      waitlist_entries.left_at is null as on_waitlist,
      waitlist_entries.version
    from app.waitlist_entries
    where waitlist_entries.campus_id = p_campus_id
      and waitlist_entries.user_id = p_user_id
      and waitlist_entries.time_slot >= v_from
      and waitlist_entries.time_slot < v_to
  ),

  members as materialized (
    select
      circle_members.time_slot,
      circle_members.cancelled_at is null as in_circle
    from app.circle_members
    where circle_members.campus_id = p_campus_id
      and circle_members.user_id = p_user_id
      and circle_members.time_slot >= v_from
      and circle_members.time_slot < v_to
  ),

  given as materialized (
    select feedback.time_slot
    from app.feedback
    where feedback.campus_id = p_campus_id
      and feedback.user_id = p_user_id
      and feedback.time_slot >= v_from
      and feedback.time_slot < v_to
  )

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
      given.time_slot is not null,
      greatest(slots.version, entries.version)
    ) as state
    from app.time_slots as slots
    left join entries on entries.time_slot = slots.time_slot
    left join members on members.time_slot = slots.time_slot
    left join given on given.time_slot = slots.time_slot
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

-- source: db/functions/app/emit_buttons.sql
-- app.emit_buttons(p_campus_id, p_time_slot, p_now): tell every member on the list what their button says now.
--
-- One statement for all of them, in the transaction that changed the slot. Members differ in three facts only: each state is
-- put together once.
--
-- requires: app.slot_state

create or replace function app.emit_buttons(p_campus_id text, p_time_slot timestamptz, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  perform app.use_campus_zone(p_campus_id);

  insert into events.outbox (campus_id, channel, event, payload)
  with listed as materialized (
    select
      entries.user_id,
      members.in_circle is true as in_circle,
      given.feedback is true as feedback_given,
      greatest(slots.version, entries.version) as version
    from app.time_slots as slots
    inner join app.waitlist_entries as entries
      on entries.campus_id = p_campus_id
      and entries.time_slot = p_time_slot
      and entries.left_at is null
    -- By their primary keys: `limit 1` leaves no other way. The planner knows nothing of rows that were written a moment ago.
    left join lateral (
      select circle_members.cancelled_at is null as in_circle
      from app.circle_members
      where circle_members.campus_id = p_campus_id
        and circle_members.time_slot = p_time_slot
        and circle_members.user_id = entries.user_id
      limit 1
    ) as members on true
    left join lateral (
      select true as feedback
      from app.feedback
      where feedback.campus_id = p_campus_id
        and feedback.time_slot = p_time_slot
        and feedback.user_id = entries.user_id
      limit 1
    ) as given on true
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  ),

  states as materialized (
    select
      facts.in_circle,
      facts.feedback_given,
      facts.version,
      app.slot_state(
        p_now,
        campuses.time_zone,
        slots.time_slot,
        slots.deadline_at,
        slots.ends_at,
        slots.matched_at,
        slots.cancelled_at,
        true,
        facts.in_circle,
        facts.feedback_given,
        facts.version
      )::jsonb as state
    from (select distinct listed.in_circle, listed.feedback_given, listed.version from listed) as facts
    inner join app.time_slots as slots
      on slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
    inner join app.campuses on campuses.campus_id = p_campus_id
  )

  select p_campus_id, 'user:' || listed.user_id, 'button', states.state
  from listed
  inner join states using (in_circle, feedback_given, version);
end;
$function$;

comment on function app.emit_buttons(text, timestamptz, timestamptz) is
'Put an event `button` for each member on the slot''s list into the outbox: the slot as that member sees it at p_now.';

revoke all on function app.emit_buttons(text, timestamptz, timestamptz) from public;

-- source: db/functions/app/standing_slot.sql
-- app.standing_slot(p_campus_id, p_time_slot): a slot as it is now, unless it was called off.
--
-- Holds no lock: who changes what is said of the slot takes it before, and then sees what others have done.

create or replace function app.standing_slot(p_campus_id text, p_time_slot timestamptz)
returns app.time_slots
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot app.time_slots;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  select slots.*
  into v_slot
  from app.time_slots as slots
  where slots.campus_id = p_campus_id
    and slots.time_slot = p_time_slot;

  if not found then
    perform app.refuse('slot_not_found');
  end if;
  if v_slot.cancelled_at is not null then
    perform app.refuse('slot_cancelled');
  end if;

  return v_slot;
end;
$function$;

comment on function app.standing_slot(text, timestamptz) is
'A slot that was not called off. Refuses no_campus, slot_not_found, slot_cancelled.';

revoke all on function app.standing_slot(text, timestamptz) from public;

-- source: db/functions/app/stored_feedback_about.sql
-- app.stored_feedback_about(p_campus_id, p_user_id, p_time_slot): what a member said about circle-mates, as app.feedback_about() has it.

create or replace function app.stored_feedback_about(p_campus_id text, p_user_id uuid, p_time_slot timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object('userId', said.about_id, 'meetAgain', said.meet_again, 'noShow', said.no_show)
        order by said.about_id::text
      )
      from app.feedback_about as said
      where said.campus_id = p_campus_id
        and said.time_slot = p_time_slot
        and said.user_id = p_user_id
    ),
    '[]'
  );
end;
$function$;

comment on function app.stored_feedback_about(text, uuid, timestamptz) is
'What a member said about circle-mates, in order of their ids: [{userId, meetAgain, noShow}].';

revoke all on function app.stored_feedback_about(text, uuid, timestamptz) from public;

-- source: db/functions/app/submit_feedback.sql
-- app.submit_feedback(p_campus_id, p_user_id, p_time_slot, p_rating, p_comment, p_about): say how a meeting was, once.
--
-- Open from the end of the meeting for as long as the button says `feedback`: to those who were in a circle, until they
-- have given it. Repeatable: the same words again give the same button; other words are refused, and lose nothing.
--
-- p_about: [{"userId": uuid, "meetAgain": boolean or null, "noShow": boolean}], each circle-mate at most once.

create or replace function app.submit_feedback(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_rating integer,
  p_comment text,
  p_about jsonb
)
returns json
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot    app.time_slots;
  v_now     timestamptz;
  v_comment text := nullif(btrim(p_comment), '');
  v_about   jsonb;
  v_button  json;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  -- Shared, as in joining: a slot that is being cancelled is waited for. Who comes before the end waits for nothing.
  v_now := app.clock();
  if exists (
    select
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
      and slots.ends_at <= v_now
  ) then
    perform app.lock_member(p_user_id);  -- refuses account_deleted
    perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, p_time_slot));
    v_now := app.clock();
  end if;

  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses slot_not_found, slot_cancelled
  perform app.own_circle_no(p_campus_id, p_user_id, v_slot, v_now);  -- refuses who is in none
  if v_now < v_slot.ends_at then
    perform app.refuse('feedback_not_open');
  end if;
  if p_rating is null or p_rating not between 1 and 5 then
    perform app.refuse('rating_invalid');
  end if;
  if length(v_comment) > 2000 then
    perform app.refuse('comment_invalid');
  end if;
  v_about := app.feedback_about(p_campus_id, p_user_id, p_time_slot, p_about);
  if v_about is null then
    perform app.refuse('about_invalid');
  end if;

  insert into app.feedback (campus_id, time_slot, user_id, rating, comment, created_at)
  values (p_campus_id, p_time_slot, p_user_id, p_rating, v_comment, v_now)
  on conflict on constraint feedback_pkey do nothing;

  if not found then
    if not exists (
      select
      from app.feedback as given
      where given.campus_id = p_campus_id
        and given.time_slot = p_time_slot
        and given.user_id = p_user_id
        and given.rating = p_rating
        and given.comment is not distinct from v_comment
    ) or v_about <> app.stored_feedback_about(p_campus_id, p_user_id, p_time_slot) then
      perform app.refuse('feedback_given');
    end if;
    return app.button(p_campus_id, p_user_id, p_time_slot, v_now);
  end if;

  insert into app.feedback_about (campus_id, time_slot, user_id, about_id, meet_again, no_show)
  select
    p_campus_id, p_time_slot, p_user_id,
    (said.about ->> 'userId')::uuid, (said.about ->> 'meetAgain')::boolean, (said.about ->> 'noShow')::boolean
  from jsonb_array_elements(v_about) as said (about);

  perform app.judge_no_shows(
    p_campus_id, p_time_slot,
    array(
      select (said.about ->> 'userId')::uuid
      from jsonb_array_elements(v_about) as said (about)
      where (said.about ->> 'noShow')::boolean
    ),
    v_now
  );

  -- The button changes, so its version does.
  update app.waitlist_entries as entries
  set version = app.next_version()
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = p_user_id;

  v_button := app.button(p_campus_id, p_user_id, p_time_slot, v_now);
  perform app.emit(p_campus_id, 'user:' || p_user_id, 'button', v_button::jsonb);
  perform audit.record('feedback.given', p_campus_id, p_user_id, p_time_slot);

  return v_button;
end;
$function$;

comment on function app.submit_feedback(text, uuid, timestamptz, integer, text, jsonb) is
'Say how a meeting was, once; returns the new button. Refuses no_campus, account_deleted, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, feedback_not_open, rating_invalid, comment_invalid, about_invalid, feedback_given.';

revoke all on function app.submit_feedback(text, uuid, timestamptz, integer, text, jsonb) from public;

-- source: db/functions/app/suspend_user.sql
-- app.suspend_user(p_campus_id, p_user_id, p_until, p_reason): let a member join nothing until then; null lifts it.
--
-- They leave what they are on and keep the rest: their past, their profile, their blocks. Repeatable. Real time: a
-- suspension is no part of the day that app.clock() tells. The member reads the reason in their trail. Who has deleted the
-- account can be suspended, too: they may come back.

create or replace function app.suspend_user(p_campus_id text, p_user_id uuid, p_until timestamptz, p_reason text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_reason text := btrim(p_reason);
  v_until  timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_until <= clock_timestamp() or v_reason is null or length(v_reason) not between 1 and 500 then
    perform app.refuse('suspension_invalid');
  end if;

  perform pg_advisory_xact_lock(app.lock_key('member', p_user_id::text));

  select directory.suspended_until
  into v_until
  from app.user_campuses as directory
  where directory.user_id = p_user_id
    and directory.campus_id = p_campus_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;

  if v_until is distinct from p_until then
    if p_until is not null then
      perform app.leave_ahead(p_campus_id, p_user_id);
    end if;

    update app.user_campuses as directory
    set suspended_until = p_until
    where directory.user_id = p_user_id;

    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'profile', app.profile(p_campus_id, p_user_id) - 'blocked'
    );
    perform audit.record(
      case when p_until is null then 'user.readmitted' else 'user.suspended' end,
      p_campus_id, p_user_id, null, jsonb_build_object('until', p_until, 'reason', v_reason)
    );
  end if;

  return jsonb_build_object('userId', p_user_id, 'suspendedUntil', p_until);
end;
$function$;

comment on function app.suspend_user(text, uuid, timestamptz, text) is
'Let a member join nothing until then (real time; null lifts it): {userId, suspendedUntil}. Refuses no_campus, suspension_invalid, member_not_found.';

revoke all on function app.suspend_user(text, uuid, timestamptz, text) from public;

-- source: db/functions/app/swap_by_lists.sql
-- app.swap_by_lists(...): better circles for many people, by swaps of those who sit with somebody they should not.
--
-- Among many, few have met (p_pair_*: each pair once). So the cost follows people and pairs, never people squared: each
-- person in trouble changes places with the first one drawn with whom both together do better. The rest stays as it was
-- dealt, and is not even looked at: in each round lists are made only for those in trouble and some drawn to help. Ends when
-- nobody is in trouble, or nothing has helped for a while, or after p_steps (pairs looked at).
--
-- p_pool: only these change places, and only their pairs need to be given; null: everybody.
--
-- p_class: what the campus mixes; two of the same class in one circle cost p_class_cost. p_risk: how likely each is missing.
-- The same arguments give the same circles. Gives the circles (0 = left out, as it was) and the steps done.

create or replace function app.swap_by_lists(
  p_circle_of integer[],
  p_size_min integer,
  p_pair_a integer[],
  p_pair_b integer[],
  p_pair_cost integer[],
  p_pool integer[],
  p_class integer[],
  p_class_cost integer,
  p_risk integer[],
  p_risk_cost integer,
  p_steps integer,
  p_seed bigint,
  out circle_of integer[],
  out steps integer
)
returns record
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  c_trouble constant integer := 500;  -- less is not worth a visit
  c_tries   constant integer := 200;  -- others drawn for one person in a round
  c_rounds  constant integer := 8;
  c_pool    constant integer := 64;   -- others at hand, at least; one for each in trouble
  v_people  integer := cardinality(p_circle_of);
  v_may     integer[] := coalesce(p_pool, array(select generate_series(1, cardinality(p_circle_of))));
  v_circle  integer[] := p_circle_of;
  v_trouble integer[];
  v_pool    integer[];
  v_start   integer[];
  v_end     integer[];
  v_whose   integer[] := p_pair_a;
  v_with    integer[] := p_pair_b;
  v_price   integer[] := p_pair_cost;
  v_bad     integer[];                -- which of these sit together and should not
  v_risk    integer[];
  v_members integer[];                -- how many of each class sit in each circle
  v_classes integer := (select max(classes.class) from unnest(p_class) as classes (class));
  v_circles integer := (select max(seats.circle) from unnest(p_circle_of) as seats (circle));
  v_steps   bigint := 0;
  v_draw    bigint := 0;
  v_other   integer;
  v_here    integer;
  v_there   integer;
  v_own     integer;
  v_change  integer;
  v_differ  integer;
  v_one    integer;
begin
  <<rounds>>
  for v_round in 1 .. c_rounds loop
    -- Who sits with somebody they should not: of all pairs at first, then of the lists, for whoever is still in trouble was so
    -- before, or was moved, or sits with somebody who was. A loop takes half the time of a join.
    v_bad := '{}';
    for v_at in 1 .. cardinality(v_whose) loop
      if v_circle[v_whose[v_at]] = v_circle[v_with[v_at]] and v_price[v_at] >= c_trouble and v_circle[v_whose[v_at]] > 0 then
        v_bad := v_bad || v_at;
      end if;
    end loop;
    v_trouble := array(
      select sides.person
      from unnest(v_bad) as pairs (at)
      cross join lateral (values (v_whose[pairs.at]), (v_with[pairs.at])) as sides (person)
      where sides.person = any(v_may)
      group by sides.person
      order by max(v_price[pairs.at]) desc, sides.person
    );
    exit rounds when v_trouble = '{}';

    -- Those, and some more drawn to change places with them: whom each has a price with, as one flat list and where each
    -- one's part begins.
    v_pool := v_trouble || array(
      select drawn.person
      from (
        select distinct v_may[
            1 + (hashint8extended(draws.draw, p_seed # v_round) & 9223372036854775807) % cardinality(v_may)
          ] as person
        from generate_series(1, greatest(c_pool, cardinality(v_trouble))) as draws (draw)
      ) as drawn
      where drawn.person <> all(v_trouble)
      order by drawn.person
    );
    v_start := array_fill(1, array[v_people]);
    v_end := array_fill(0, array[v_people]);
    with sides as (
      select pairs.a as person, pairs.b as other, pairs.cost
      from (select unnest(p_pair_a) as a, unnest(p_pair_b) as b, unnest(p_pair_cost) as cost) as pairs
      where pairs.a = any(v_pool)
      union all
      select pairs.b, pairs.a, pairs.cost
      from (select unnest(p_pair_a) as a, unnest(p_pair_b) as b, unnest(p_pair_cost) as cost) as pairs
      where pairs.b = any(v_pool)
    ),

    sorted as (
      select sides.person, sides.other, sides.cost from sides order by sides.person, sides.other
    )

    select array_agg(sorted.person), array_agg(sorted.other), array_agg(sorted.cost)
    into v_whose, v_with, v_price
    from sorted;
    for v_at in 1 .. cardinality(v_whose) loop
      if v_end[v_whose[v_at]] = 0 then
        v_start[v_whose[v_at]] := v_at;
      end if;
      v_end[v_whose[v_at]] := v_at;
    end loop;

    -- The first time: what each circle holds.
    if v_round = 1 then
      v_risk := array(
        select sum(p_risk[seats.person]) + case when count(*) <= p_size_min then 1 else 0 end
        from unnest(p_circle_of) with ordinality as seats (circle, person)
        where seats.circle > 0
        group by seats.circle
        order by seats.circle
      );
      v_members := array_fill(0, array[v_classes, v_circles]);
      if v_classes > 1 then
        for v_person in 1 .. v_people loop
          v_here := v_circle[v_person];
          continue when v_here = 0;
          v_members[p_class[v_person]][v_here] := v_members[p_class[v_person]][v_here] + 1;
        end loop;
      end if;
    end if;

    foreach v_one in array v_trouble loop
      v_here := v_circle[v_one];
      v_own := 0;
      for v_at in v_start[v_one] .. v_end[v_one] loop
        if v_circle[v_with[v_at]] = v_here then
          v_own := v_own + v_price[v_at];
        end if;
      end loop;
      continue when v_own < c_trouble;  -- somebody else has left

      for v_try in 1 .. c_tries loop
        v_draw := v_draw + 1;
        v_other := v_pool[1 + (hashint8extended(v_draw, p_seed) & 9223372036854775807) % cardinality(v_pool)];
        v_there := v_circle[v_other];
        continue when v_there = 0 or v_there = v_here;
        v_steps := v_steps + 3 + v_end[v_one] - v_start[v_one] + v_end[v_other] - v_start[v_other];

        v_change := -v_own;
        for v_at in v_start[v_one] .. v_end[v_one] loop
          if v_circle[v_with[v_at]] = v_there and v_with[v_at] <> v_other then
            v_change := v_change + v_price[v_at];
          end if;
        end loop;
        continue when v_change >= 0;
        for v_at in v_start[v_other] .. v_end[v_other] loop
          if v_circle[v_with[v_at]] = v_here then
            if v_with[v_at] <> v_one then
              v_change := v_change + v_price[v_at];
            end if;
          elsif v_circle[v_with[v_at]] = v_there then
            v_change := v_change - v_price[v_at];
          end if;
        end loop;
        v_differ := p_risk[v_one] - p_risk[v_other];
        if v_differ <> 0 then
          v_change := v_change + 2 * p_risk_cost * v_differ * (v_risk[v_there] - v_risk[v_here] + v_differ);
        end if;
        if p_class[v_one] <> p_class[v_other] then
          v_change := v_change + p_class_cost * (
            v_members[p_class[v_one]][v_there] - v_members[p_class[v_one]][v_here]
            + v_members[p_class[v_other]][v_here] - v_members[p_class[v_other]][v_there] + 2
          );
        end if;
        continue when v_change >= 0;

        v_circle[v_one] := v_there;
        v_circle[v_other] := v_here;
        if v_differ <> 0 then
          v_risk[v_here] := v_risk[v_here] - v_differ;
          v_risk[v_there] := v_risk[v_there] + v_differ;
        end if;
        if p_class[v_one] <> p_class[v_other] then
          v_members[p_class[v_one]][v_here] := v_members[p_class[v_one]][v_here] - 1;
          v_members[p_class[v_one]][v_there] := v_members[p_class[v_one]][v_there] + 1;
          v_members[p_class[v_other]][v_there] := v_members[p_class[v_other]][v_there] - 1;
          v_members[p_class[v_other]][v_here] := v_members[p_class[v_other]][v_here] + 1;
        end if;
        exit;
      end loop;
      exit rounds when v_steps > p_steps;
    end loop;
  end loop;

  circle_of := v_circle;
  steps := v_steps;
end;
$function$;

comment on function app.swap_by_lists(
  integer[], integer, integer[], integer[], integer[], integer[], integer[], integer, integer[], integer, integer,
  bigint
) is
'Better circles for many people: those who sit with somebody they should not change places, within p_steps.';

revoke all on function app.swap_by_lists(
  integer[], integer, integer[], integer[], integer[], integer[], integer[], integer, integer[], integer, integer,
  bigint
) from public;

-- source: db/functions/app/swap_by_matrix.sql
-- app.swap_by_matrix(...): better circles for few people, by swaps of two; what every pair costs is at hand.
--
-- Annealing: a person and one of another circle change places if that costs less, and now and then if it costs more: often
-- at first, never at the end. So it leaves a place where no single swap helps and a second one would. A person whom nobody
-- here troubles is mostly passed over (two thirds of the work saved), and most swaps aim at somebody not met yet (p_free):
-- where few such are left, a blind swap would seldom find one.
--
-- Chairs are numbered circle by circle, p_width to each, a multiple of five: sums are written out for five chairs at once,
-- for PL/pgSQL takes longer over a turn of a loop than over an addition (measured: a third of the time). Person 0, the
-- empty chair, costs nothing. A swap's cost is told from v_own, what each costs where they sit.
--
-- p_steps 0: nothing is drawn; every two are tried in turn, until no swap is left that helps.
--
-- Work is counted in steps, and all that is drawn comes from p_seed: the same arguments give the same circles.
-- Gives the best circles seen (0 = left out, as it was), their cost and the steps done.

create or replace function app.swap_by_matrix(
  p_circle_of integer[],
  p_size_min integer,
  p_size_max integer,
  p_pair_a integer[],
  p_pair_b integer[],
  p_pair_cost integer[],
  p_free_start integer[],
  p_free integer[],
  p_risk integer[],
  p_risk_cost integer,
  p_steps integer,
  p_seed bigint,
  out circle_of integer[],
  out cost integer,
  out steps integer
)
returns record
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- Less is not worth a visit each time; among so few that all the past is shared, everything is.
  c_trouble constant integer := case when cardinality(p_circle_of) <= 64 then 0 else 500 end;
  c_heat    constant integer := 200;   -- how much worse a swap may be at first, as a rule
  v_people  integer := cardinality(p_circle_of);
  v_circles integer := (select max(seats.circle) from unnest(p_circle_of) as seats (circle));
  v_width   integer := (p_size_max + 4) / 5 * 5;
  v_seat    integer[] := array_fill(0, array[v_circles * v_width]);      -- chair -> person
  v_where   integer[] := array_fill(0, array[v_people]);                 -- person -> chair
  v_size    integer[] := array_fill(0, array[v_circles]);
  v_cost    integer[] := array_fill(0, array[v_people + 1, v_people + 1], array[0, 0]);
  v_own     integer[] := array_fill(0, array[v_people]);
  v_risk    integer[];                                                   -- circle -> what its people may miss
  v_thin    integer := (select least(1, max(people.risk)) from unnest(p_risk) as people (risk));
  v_luck    integer[];
  v_total   integer := 0;
  v_best    integer;
  v_best_at integer[];                                                   -- v_where then
  v_hash    bigint;
  v_step    integer := 0;
  v_last    integer;
  v_a       integer;
  v_b       integer;
  v_a_seat  integer;
  v_b_seat  integer;
  v_here    integer;      -- the chair before the first of the circle of v_a
  v_there   integer;
  v_count   integer;
  v_differ  integer;
  v_change  integer;
  v_mate    integer;
begin
  for v_person in 1 .. v_people loop
    continue when p_circle_of[v_person] = 0;
    v_here := p_circle_of[v_person];
    v_size[v_here] := v_size[v_here] + 1;
    v_where[v_person] := (v_here - 1) * v_width + v_size[v_here];
    v_seat[v_where[v_person]] := v_person;
  end loop;
  for v_at in 1 .. cardinality(p_pair_a) loop
    v_cost[p_pair_a[v_at]][p_pair_b[v_at]] := p_pair_cost[v_at];
    v_cost[p_pair_b[v_at]][p_pair_a[v_at]] := p_pair_cost[v_at];
  end loop;

  -- A circle of the least size can miss nobody: that counts like one more who may not come, if there is any.
  v_risk := array(
    select case when sizes.size <= p_size_min then v_thin else 0 end
    from unnest(v_size) with ordinality as sizes (size, circle)
    order by sizes.circle
  );
  for v_person in 1 .. v_people loop
    continue when v_where[v_person] = 0;
    v_here := (v_where[v_person] - 1) / v_width;
    v_risk[v_here + 1] := v_risk[v_here + 1] + p_risk[v_person];
    for v_at in v_here * v_width + 1 .. v_here * v_width + v_size[v_here + 1] loop
      v_own[v_person] := v_own[v_person] + v_cost[v_person][v_seat[v_at]];
    end loop;
    v_total := v_total + v_own[v_person];
  end loop;
  v_total := v_total / 2 + p_risk_cost * (select sum(risks.risk * risks.risk) from unnest(v_risk) as risks (risk))::integer;
  v_best := v_total;
  v_best_at := v_where;
  v_luck := array(
    select (-ln((numbers.number - 0.5) / 256) * c_heat)::integer from generate_series(1, 256) as numbers (number)
  );
  v_last := case when p_steps = 0 then v_people * v_people else p_steps end;

  while v_step < v_last and v_total > 0 loop
    v_step := v_step + 1;
    if p_steps > 0 then
      v_hash := hashint8extended(v_step, p_seed) & 9223372036854775807;
      v_a := 1 + v_hash % v_people;
      v_a_seat := v_where[v_a];
      continue when v_a_seat = 0 or (v_own[v_a] < c_trouble and (v_hash >> 40) & 7 > 0);

      v_count := p_free_start[v_a + 1] - p_free_start[v_a];
      if v_count > 0 and (v_hash >> 43) & 7 > 0 then
        -- Beside somebody not met yet, in the place of one of their mates.
        v_mate := v_where[p_free[p_free_start[v_a] + (v_hash >> 8) % v_count]];
        continue when v_mate = 0;
        v_there := (v_mate - 1) / v_width;
        v_count := v_size[v_there + 1];
        v_there := v_there * v_width;
        v_b_seat := v_there + 1 + (v_mate - v_there + (v_hash >> 46) % (v_count - 1)) % v_count;
        v_b := v_seat[v_b_seat];
      else
        v_b := 1 + (v_hash >> 8) % v_people;
        v_b_seat := v_where[v_b];
        continue when v_b_seat = 0;
        v_there := (v_b_seat - 1) / v_width * v_width;
      end if;
    else
      v_a := 1 + (v_step - 1) / v_people % v_people;
      v_b := 1 + (v_step - 1) % v_people;
      v_a_seat := v_where[v_a];
      v_b_seat := v_where[v_b];
      continue when v_a >= v_b or v_a_seat = 0 or v_b_seat = 0;
      v_there := (v_b_seat - 1) / v_width * v_width;
    end if;
    v_here := (v_a_seat - 1) / v_width * v_width;
    continue when v_here = v_there;

    v_change := -2 * v_cost[v_a][v_b] - v_own[v_a] - v_own[v_b];
    for v_at in 1 .. v_width by 5 loop
      v_change := v_change
        + v_cost[v_b][v_seat[v_here + v_at]]
        + v_cost[v_b][v_seat[v_here + v_at + 1]]
        + v_cost[v_b][v_seat[v_here + v_at + 2]]
        + v_cost[v_b][v_seat[v_here + v_at + 3]]
        + v_cost[v_b][v_seat[v_here + v_at + 4]]
        + v_cost[v_a][v_seat[v_there + v_at]]
        + v_cost[v_a][v_seat[v_there + v_at + 1]]
        + v_cost[v_a][v_seat[v_there + v_at + 2]]
        + v_cost[v_a][v_seat[v_there + v_at + 3]]
        + v_cost[v_a][v_seat[v_there + v_at + 4]];
    end loop;
    v_differ := p_risk[v_a] - p_risk[v_b];
    if v_differ <> 0 then
      v_change := v_change
        + 2 * p_risk_cost * v_differ * (v_risk[v_there / v_width + 1] - v_risk[v_here / v_width + 1] + v_differ);
    end if;
    if p_steps > 0 then
      continue when v_change > 0
        and v_change::bigint * p_steps > v_luck[1 + (v_hash >> 55)]::bigint * (p_steps - v_step);
    else
      continue when v_change >= 0;
      v_last := v_step + v_people * v_people;  -- once more all of them
    end if;

    -- Change places.
    v_own[v_a] := 0;
    v_own[v_b] := 0;
    for v_at in 1 .. v_size[v_here / v_width + 1] loop
      v_mate := v_seat[v_here + v_at];
      if v_mate <> v_a then
        v_own[v_mate] := v_own[v_mate] + v_cost[v_mate][v_b] - v_cost[v_mate][v_a];
        v_own[v_b] := v_own[v_b] + v_cost[v_mate][v_b];
      end if;
    end loop;
    for v_at in 1 .. v_size[v_there / v_width + 1] loop
      v_mate := v_seat[v_there + v_at];
      if v_mate <> v_b then
        v_own[v_mate] := v_own[v_mate] + v_cost[v_mate][v_a] - v_cost[v_mate][v_b];
        v_own[v_a] := v_own[v_a] + v_cost[v_mate][v_a];
      end if;
    end loop;
    v_seat[v_a_seat] := v_b;
    v_seat[v_b_seat] := v_a;
    v_where[v_a] := v_b_seat;
    v_where[v_b] := v_a_seat;
    if v_differ <> 0 then
      v_risk[v_here / v_width + 1] := v_risk[v_here / v_width + 1] - v_differ;
      v_risk[v_there / v_width + 1] := v_risk[v_there / v_width + 1] + v_differ;
    end if;
    v_total := v_total + v_change;
    if v_total < v_best then
      v_best := v_total;
      v_best_at := v_where;
    end if;
  end loop;

  steps := v_step;
  cost := v_best;
  circle_of := array(
    select (chairs.chair + v_width - 1) / v_width
    from unnest(v_best_at) with ordinality as chairs (chair, person)
    order by chairs.person
  );
end;
$function$;

comment on function app.swap_by_matrix(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer, integer,
  bigint
) is
'Better circles for few people, by annealing within p_steps; with p_steps 0 every swap of two that helps is made.';

revoke all on function app.swap_by_matrix(
  integer[], integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer, integer,
  bigint
) from public;

-- source: db/functions/app/unblock_user.sql
-- app.unblock_user(p_campus_id, p_user_id, p_blocked_id): take the member's own block back. The other's, if any, stays.
--
-- Repeatable: what is not blocked stays so, and nothing tells whether there is such a member.

create or replace function app.unblock_user(p_campus_id text, p_user_id uuid, p_blocked_id uuid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted
  perform pg_advisory_xact_lock_shared(app.lock_key('pairs', p_campus_id));

  delete from app.blocks
  where blocks.campus_id = p_campus_id
    and blocks.user_id = p_user_id
    and blocks.blocked_id = p_blocked_id;
  if found then
    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'block', jsonb_build_object('userId', p_blocked_id, 'blocked', false)
    );
    perform audit.record('user.unblocked', p_campus_id, p_user_id, null, jsonb_build_object('blockedId', p_blocked_id));
  end if;

  return jsonb_build_object('userId', p_blocked_id, 'blocked', false);
end;
$function$;

comment on function app.unblock_user(text, uuid, uuid) is
'Take the member''s own block back: {userId, blocked}. Refuses no_campus, account_deleted.';

revoke all on function app.unblock_user(text, uuid, uuid) from public;

-- source: db/functions/app/update_profile.sql
-- app.update_profile(p_campus_id, p_user_id, p_display_name, p_attributes, p_circle_mail): change what a member may change of themselves.
--
-- Null leaves as it is. Tier and address are no arguments: nobody can slip them in. Repeatable.

create or replace function app.update_profile(
  p_campus_id text, p_user_id uuid, p_display_name text, p_attributes jsonb, p_circle_mail boolean default null
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_name       text := btrim(p_display_name);
  v_attributes jsonb := nullif(p_attributes, 'null');
  v_old        jsonb;
  v_new        jsonb;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if length(v_name) not between 1 and 80 or v_name ~ '[[:cntrl:]]' then
    perform app.refuse('display_name_invalid');
  end if;
  if jsonb_typeof(v_attributes) <> 'object' or octet_length(v_attributes #>> '{}') > 4096 then
    perform app.refuse('attributes_invalid');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted

  select
    jsonb_strip_nulls(jsonb_build_object(
      'displayName', case when users.display_name <> v_name then users.display_name end,
      'attributes', case when users.attributes <> v_attributes then users.attributes end,
      'circleMail', case when users.circle_mail <> p_circle_mail then users.circle_mail end
    )),
    jsonb_strip_nulls(jsonb_build_object(
      'displayName', case when users.display_name <> v_name then v_name end,
      'attributes', case when users.attributes <> v_attributes then v_attributes end,
      'circleMail', case when users.circle_mail <> p_circle_mail then p_circle_mail end
    ))
  into v_old, v_new
  from app.users
  where users.campus_id = p_campus_id
    and users.user_id = p_user_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;
  if v_new <> '{}' then
    update app.users
    set display_name = coalesce(v_name, users.display_name),
      attributes = coalesce(v_attributes, users.attributes),
      circle_mail = coalesce(p_circle_mail, users.circle_mail)
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id;
    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'profile', app.profile(p_campus_id, p_user_id) - 'blocked'
    );
    perform audit.record(
      'profile.updated', p_campus_id, p_user_id, null,
      jsonb_build_object('changed', array(select keys.key from jsonb_object_keys(v_new) as keys (key) order by keys.key desc)),
      v_old, v_new
    );
  end if;

  return app.profile(p_campus_id, p_user_id);
end;
$function$;

comment on function app.update_profile(text, uuid, text, jsonb, boolean) is
'Change a member''s display name, attributes and whether circles come by e-mail (null: as it is); returns the profile. Refuses no_campus, account_deleted, display_name_invalid, attributes_invalid, member_not_found.';

revoke all on function app.update_profile(text, uuid, text, jsonb, boolean) from public;

-- source: db/functions/app/use_campus_zone.sql
-- app.use_campus_zone(p_campus_id): write instants with the campus's offset, until the calling function ends.
--
-- For what is told to others than the caller. A member's own request is in the zone of the token (app.pre_request()), which
-- is the campus's unless another issuer says otherwise: clients compare instants, not texts. A function
-- that calls this has `set timezone` in its header: that is what gives the caller's own zone back at its end.

create or replace function app.use_campus_zone(p_campus_id text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform set_config('TimeZone', campuses.time_zone, true)
  from app.campuses
  where campuses.campus_id = p_campus_id;
end;
$function$;

comment on function app.use_campus_zone(text) is
'Set TimeZone to the campus''s, for a function that has `set timezone` in its header.';

revoke all on function app.use_campus_zone(text) from public;

-- source: db/functions/app/write_waitlist_entry.sql
-- app.write_waitlist_entry(): what an insert into, or a delete from, api.waitlist_entries does.
--
-- A member writes for themselves, a trusted server for anyone: user_id says for whom, and may be left out by a member.
--
-- Each row is counted against the member's limit. The first has been, by app.pre_request(): a setting tells it from the
-- others, as INSTEAD OF triggers know nothing of their statement.
--
-- Definer: no role of a request may write the table.

create or replace function app.write_waitlist_entry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_user_id uuid := case when tg_op = 'INSERT' then new.user_id else old.user_id end;
  v_member  record;
begin
  if tg_op = 'UPDATE' then
    perform app.refuse('entry_fixed');
  end if;

  if app.is_service() then
    -- One call may write for many members, and locks each: two such calls take turns, or would wait for each other.
    perform pg_advisory_xact_lock(app.lock_key('service', 'waitlist_entries'));

    select directory.user_id, directory.campus_id
    into v_member
    from app.user_campuses as directory
    where directory.user_id = v_user_id
      and directory.closed_at is null;

    if not found then
      perform app.refuse('member_not_found');
    end if;
  else
    v_member := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
    if v_member.user_id <> v_user_id then
      perform app.refuse('not_yours');
    end if;
    if current_setting('circle27.entry_written', true) = 'yes' then
      perform app.limit_write(v_member.user_id);
    end if;
    perform set_config('circle27.entry_written', 'yes', true);
  end if;

  perform app.use_campus_zone(v_member.campus_id);  -- the member is told, not the server

  if tg_op = 'DELETE' then
    perform app.leave_waitlist(v_member.campus_id, v_member.user_id, old.time_slot);
    return old;
  end if;

  perform app.join_waitlist(v_member.campus_id, v_member.user_id, new.time_slot);

  select entries.campus_id, entries.time_slot, entries.user_id, entries.joined_at, entries.version
  into strict new
  from app.waitlist_entries as entries
  where entries.campus_id = v_member.campus_id
    and entries.time_slot = new.time_slot
    and entries.user_id = v_member.user_id;
  return new;
end;
$function$;

comment on function app.write_waitlist_entry() is
'Trigger of api.waitlist_entries: insert joins, delete leaves. Refuses entry_fixed, not_signed_in, no_campus, account_deleted, wrong_campus, member_not_found, not_yours, slot_not_found, slot_cancelled, deadline_passed, suspended, rate_limited.';

revoke all on function app.write_waitlist_entry() from public;

-- source: db/functions/api/waitlist_entries.sql
-- api.waitlist_entries: who is on which list, as far as the caller may see: a member their own entries.
--
-- What supabase-js reads and writes as a table. Insert and delete are joining and leaving: the triggers call the same
-- functions as the RPCs, so there is one way in. Who has left is on no list, so has no row here. An update has no
-- meaning, and says so.
--
-- security_invoker: row level security of app.waitlist_entries decides, as the caller.
--
-- requires: app.write_waitlist_entry

create or replace view api.waitlist_entries
with (security_invoker = true)
as
select
  entries.campus_id,
  entries.time_slot,
  entries.user_id,
  entries.joined_at,
  entries.version
from app.waitlist_entries as entries
where entries.left_at is null;

comment on view api.waitlist_entries is
'The lists that the caller is on.

Insert {time_slot} to join, delete to leave.';
comment on column api.waitlist_entries.campus_id is 'The campus of slot and member.';
comment on column api.waitlist_entries.time_slot is 'The slot.';
comment on column api.waitlist_entries.user_id is 'The member; without it, the caller.';
comment on column api.waitlist_entries.joined_at is 'When the member joined (app clock).';
comment on column api.waitlist_entries.version is 'Version of the last change to what this member''s button says.';

create or replace trigger waitlist_entries_write
instead of insert or update or delete on api.waitlist_entries
for each row
execute function app.write_waitlist_entry();

comment on trigger waitlist_entries_write on api.waitlist_entries is
'Joining and leaving go through app.join_waitlist() and app.leave_waitlist().';

grant select on api.waitlist_entries to authenticated, service_role;
grant insert (time_slot, user_id), update (time_slot, user_id), delete
on api.waitlist_entries to authenticated, service_role;

set local role circle27_auth;

-- source: db/functions/audit/erase.sql
-- audit.erase(p_user_id): forget the personal values of a member that stand beside the trail. The facts stay.
--
-- Definer: called by the app as circle27_owner, which holds no right here.

create or replace function audit.erase(p_user_id uuid)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  delete from audit.changes where changes.user_id = p_user_id;
end;
$function$;

comment on function audit.erase(uuid) is
'Forget the personal values of a member that stand beside the trail.';

revoke all on function audit.erase(uuid) from public;
grant execute on function audit.erase(uuid) to circle27_owner;

-- source: db/functions/audit/forget_before.sql
-- audit.forget_before(p_year): drop the trail of the years before this one, whole; returns the names of their partitions.
--
-- The only way in which lines go, and nobody but who deploys may call it. The last year and this one always stay. Repeatable.

create or replace function audit.forget_before(p_year integer)
returns setof text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_first     timestamptz;
  v_outside   boolean;
  v_partition text;
begin
  if p_year is null or p_year not between 2000 and extract(year from clock_timestamp() at time zone 'UTC') - 1 then
    perform app.refuse('year_invalid');
  end if;
  v_first := make_timestamptz(p_year, 1, 1, 0, 0, 0, 'UTC');

  perform pg_advisory_xact_lock(hashtextextended('audit.log', 0));

  for v_partition in
    select partitions.relname
    from pg_inherits as parts
    inner join pg_class as partitions on partitions.oid = parts.inhrelid
    where parts.inhparent = 'audit.log'::regclass
      and partitions.relname ~ '^log_[0-9]{4}$'
      and right(partitions.relname, 4)::integer < p_year
    order by partitions.relname
  loop
    execute format('drop table audit.%I', v_partition);
    return next v_partition;
  end loop;

  v_outside := exists (select from audit.log_default where log_default.at < v_first);
  if v_outside then
    perform audit.renew_partitions('{}', v_first);
    return next 'log_default';
  end if;

  delete from audit.changes where changes.at < v_first;
  if v_partition is not null or v_outside then
    perform audit.record('trail.dropped', null, null, null, jsonb_build_object('before', p_year));
  end if;
end;
$function$;

comment on function audit.forget_before(integer) is
'Drop the trail of the years before this one (UTC); the names of the partitions that held it. Refuses year_invalid.';

revoke all on function audit.forget_before(integer) from public;

-- source: db/functions/audit/member_trail.sql
-- audit.member_trail(p_user_id, p_before, p_limit): what was done to a member's rows, the newest first.
--
-- Who did it, in words: an operator's id is no member's business, nor is who said that they stayed away: what follows from a
-- rule was done by the system. From where, only where they did it themselves. Signing in is such a thing, though nobody had a
-- token yet: the code was the proof, and from where somebody signed in is what tells a member of a thief.
--
-- Definer: called by the api as circle27_owner, which does not read the trail.

create or replace function audit.member_trail(p_user_id uuid, p_before timestamptz, p_limit integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'at', lines.at,
          'action', lines.action,
          'timeSlot', lines.time_slot,
          'details', lines.details,
          'old', changes.old_values,
          'new', changes.new_values,
          'by', case
            when lines.actor_id = p_user_id or lines.action = 'session.begun' then 'you'
            when lines.actor_id is null or lines.action in ('user.stayed_away', 'user.suspended_by_rule') then 'system'
            else 'operator'
          end,
          'address', case
            when lines.actor_id = p_user_id or lines.action = 'session.begun' then lines.address
          end
        )
        order by lines.at desc, lines.id desc
      )
      from (
        select *
        from audit.log
        where log.user_id = p_user_id
          and log.at < p_before
        order by log.at desc, log.id desc
        limit p_limit
      ) as lines
      left join audit.changes on changes.id = lines.id
    ),
    '[]'
  );
end;
$function$;

comment on function audit.member_trail(uuid, timestamptz, integer) is
'What was done to a member''s rows before p_before, the newest first: [{at, action, timeSlot, details, old, new, by: you, operator or system, address}].';

revoke all on function audit.member_trail(uuid, timestamptz, integer) from public;
grant execute on function audit.member_trail(uuid, timestamptz, integer) to circle27_owner;

-- source: db/functions/audit/open_partitions.sql
-- audit.open_partitions(p_now): make the trail's years ready, this one and the two after it; returns how many were made.
--
-- Repeatable, and safe beside itself: who comes second waits, and finds them.
--
-- Definer: the worker calls it, and may make nothing itself.

create or replace function audit.open_partitions(p_now timestamptz default clock_timestamp())
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_year  integer;
  v_years integer[];
begin
  if p_now is null or p_now not between timestamptz '2000-01-01 00:00+00' and timestamptz '2199-12-31 00:00+00' then
    perform app.refuse('time_invalid');
  end if;
  v_year := extract(year from p_now at time zone 'UTC');

  -- All but once a year there is nothing to do, and nobody to wait for.
  if to_regclass(format('audit.log_%s', v_year + 2)) is not null then
    return 0;
  end if;

  perform pg_advisory_xact_lock(hashtextextended('audit.log', 0));
  v_years := array(
    select years.number
    from generate_series(v_year, v_year + 2) as years (number)
    where to_regclass(format('audit.log_%s', years.number)) is null
    order by years.number
  );
  if v_years <> '{}' then
    perform audit.renew_partitions(v_years, '-infinity');
  end if;
  return cardinality(v_years);
end;
$function$;

comment on function audit.open_partitions(timestamptz) is
'Make the partitions of this year and the next two (UTC); how many were made. Refuses time_invalid.';

revoke all on function audit.open_partitions(timestamptz) from public;
grant execute on function audit.open_partitions(timestamptz) to circle27_worker;

-- source: db/functions/audit/record.sql
-- audit.record(p_action, p_campus_id, p_user_id, p_time_slot, p_details, p_old, p_new): write one line of the trail.
--
-- Who, as which role and from where it reads itself, so that no caller can leave them out. Real time.
-- A trusted server's key may name itself in `sub` by any text: only a uuid is somebody, and no other text gets in.
--
-- What a personal value was and became goes beside the trail, where it can be erased (audit.changes).
--
-- Definer: app functions run as circle27_owner, which may add to the trail through this and in no other way.

create or replace function audit.record(
  p_action text,
  p_campus_id text,
  p_user_id uuid default null,
  p_time_slot timestamptz default null,
  p_details jsonb default null,
  p_old jsonb default null,
  p_new jsonb default null
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
  v_id      bigint;
  v_at      timestamptz;
begin
  insert into audit.log (
    action, campus_id, user_id, time_slot, details, actor_id, actor_role, session_id, address, request_id
  )
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
    left(v_headers ->> 'x-real-ip', 64),
    left(v_headers ->> 'x-request-id', 64)
  )
  returning log.id, log.at into v_id, v_at;

  if p_old is not null then
    insert into audit.changes (id, at, user_id, old_values, new_values)
    values (v_id, v_at, p_user_id, p_old, p_new);
  end if;
end;
$function$;

comment on function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) is
'Write one line of the trail: what, to which row, personal values before and after; who, as which role and from where are added.';

revoke all on function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) from public;
grant execute on function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) to circle27_owner;

-- source: db/functions/audit/renew_partitions.sql
-- audit.renew_partitions(p_years, p_from): make partitions of these years, and a new one for what lies outside of all.
--
-- The old default partition is taken off, and its lines from p_from on are added again: each to its year. So no line stands
-- in the way of its own partition, old ones go with the table that holds them, and the right to delete a line is needed by
-- nobody. Each partition is closed like its sisters: no line is changed, by its owner neither.
--
-- The trail stands still meanwhile, for some milliseconds. Who calls holds its lock.
--
-- Definer: whoever deploys, the partitions belong to the trail's owner.

create or replace function audit.renew_partitions(p_years integer[], p_from timestamptz)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_outside text := 'log_outside';
  v_index   text;
  v_year    integer;
begin
  alter table audit.log detach partition audit.log_default;
  execute format('alter table audit.log_default rename to %I', v_outside);

  -- The new one's indexes shall have these names.
  for v_index in
    select indexes.relname
    from pg_index
    inner join pg_class as indexes on indexes.oid = pg_index.indexrelid
    where pg_index.indrelid = to_regclass('audit.' || v_outside)
  loop
    execute format('alter index audit.%I rename to %I', v_index, replace(v_index, 'log_default', v_outside));
  end loop;

  foreach v_year in array p_years loop
    execute format(
      'create table audit.log_%1$s partition of audit.log for values from (%2$L) to (%3$L)',
      v_year, make_timestamptz(v_year, 1, 1, 0, 0, 0, 'UTC'), make_timestamptz(v_year + 1, 1, 1, 0, 0, 0, 'UTC')
    );
    execute format('comment on table audit.log_%1$s is %2$L', v_year, format('The trail of %s (UTC).', v_year));
    execute format('alter table audit.log_%s enable row level security', v_year);
    execute format('revoke update, delete, truncate on audit.log_%s from circle27_auth', v_year);
  end loop;

  create table audit.log_default partition of audit.log default;
  comment on table audit.log_default is 'The trail outside all years with a partition: should be empty.';
  alter table audit.log_default enable row level security;
  revoke update, delete, truncate on audit.log_default from circle27_auth;

  execute format('insert into audit.log select * from audit.%I as outside where outside.at >= $1', v_outside) using p_from;
  execute format('drop table audit.%I', v_outside);
end;
$function$;

comment on function audit.renew_partitions(integer[], timestamptz) is
'Make partitions of these years (UTC), and anew the default one, with its lines from p_from on.';

revoke all on function audit.renew_partitions(integer[], timestamptz) from public;

set local role circle27_owner;

-- source: db/functions/events/close_streams.sql
-- events.close_streams(p_stream_ids): these streams have ended. Returns how many were known.
--
-- Many at once, for they end in storms; their circle-mates hear of it. Repeatable: the gateway's porter says each twice (cli/circle27/worker/porter.py).
--
-- Definer: the worker holds no right on the table.

create or replace function events.close_streams(p_stream_ids text[])
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_people uuid[];  -- one for each stream
begin
  with ended as (
    delete from events.streams
    where streams.stream_id = any(p_stream_ids)
    returning streams.user_id
  )

  select array_agg(ended.user_id)
  into v_people
  from ended;

  perform app.emit_presence(v_people);
  return coalesce(cardinality(v_people), 0);
end;
$function$;

comment on function events.close_streams(text[]) is
'Forget streams that have ended; how many.';

revoke all on function events.close_streams(text[]) from public;
grant execute on function events.close_streams(text[]) to circle27_worker;

-- source: db/functions/events/end_expired_streams.sql
-- events.end_expired_streams(): end the streams whose token has run out. Returns how many.
--
-- An event `session` on a session's channel makes the worker delete the channel, which ends its streams. `over` is false:
-- the session goes on, and the client comes back with a fresh token.
--
-- Definer: the worker holds no right on the table.

create or replace function events.end_expired_streams()
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_people uuid[];
  v_count  integer;
begin
  with ended as (
    delete from events.streams
    where streams.expires_at <= clock_timestamp()
    returning streams.campus_id, streams.session_id, streams.user_id
  ), told as (
    insert into events.outbox (campus_id, channel, event, payload)
    select distinct ended.campus_id, 'session:' || ended.session_id, 'session', jsonb_build_object('over', false)
    from ended
    returning outbox.id
  )

  select (select array_agg(ended.user_id) from ended), count(*)
  into v_people, v_count
  from told;

  perform app.emit_presence(v_people);
  return v_count;
end;
$function$;

comment on function events.end_expired_streams() is
'End the streams whose token has run out, by an event to their sessions; how many sessions.';

revoke all on function events.end_expired_streams() from public;
grant execute on function events.end_expired_streams() to circle27_worker;

-- source: db/functions/events/outbox_status.sql
-- events.outbox_status(): how far telling is behind what has happened. For the monitor.
--
-- Definer: the monitor holds no right on the table, whose payloads are members' own.

create or replace function events.outbox_status()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select jsonb_build_object(
      'waiting', count(*),
      'lagSeconds', coalesce(round(extract(epoch from clock_timestamp() - min(outbox.emitted_at)), 3), 0),
      'streams', (select count(*) from events.streams)
    )
    from events.outbox
  );
end;
$function$;

comment on function events.outbox_status() is
'How many events wait to be told, for how many seconds the oldest one has, and how many streams are held: {waiting, lagSeconds, streams}.';

revoke all on function events.outbox_status() from public;
grant execute on function events.outbox_status() to circle27_monitor;

-- source: db/functions/events/renew_gateway.sql
-- events.renew_gateway(p_gateway, p_dead): the gateway is alive, but for these of its processes. Returns its processes that
-- hold streams.
--
-- What a killed process held has ended, and no log says so. The lease is for a gateway that is gone as a whole, host and
-- porter: after a minute without renewal its streams count no more (app.online_users()), and any other gateway forgets them.
--
-- Definer: the worker holds no right on the tables.

create or replace function events.renew_gateway(p_gateway text, p_dead integer[] default '{}')
returns integer[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_now    timestamptz := clock_timestamp();
  v_people uuid[];
begin
  insert into events.gateways (gateway, renewed_at)
  values (p_gateway, v_now)
  on conflict on constraint gateways_pkey do update
  set renewed_at = excluded.renewed_at;

  delete from events.gateways
  where gateways.renewed_at < v_now - interval '1 minute';

  with ended as (
    delete from events.streams
    where (streams.gateway = p_gateway and streams.process_id = any(p_dead))
      or (
        streams.opened_at < v_now - interval '1 minute'  -- a gateway's first streams may come before its first renewal
        and not exists (select from events.gateways where gateways.gateway = streams.gateway)
      )
    returning streams.user_id
  )

  select array_agg(ended.user_id)
  into v_people
  from ended;

  perform app.emit_presence(v_people);

  return array(
    select distinct streams.process_id
    from events.streams
    where streams.gateway = p_gateway
  );
end;
$function$;

comment on function events.renew_gateway(text, integer[]) is
'Note that a gateway is alive and which of its processes are dead, and forget what dead ones held; its processes that hold streams.';

revoke all on function events.renew_gateway(text, integer[]) from public;
grant execute on function events.renew_gateway(text, integer[]) to circle27_worker;

-- source: db/functions/events/take.sql
-- events.take(p_limit): take the oldest events out of the outbox, in their order.
--
-- Take, publish, commit: a worker that dies in between gives them back. Two workers never get the same event
-- (skip locked); nothing is skipped for good, for there is no cursor.
--
-- One way through the table, however many rows its statistics know of: the worker plans this while the outbox is empty,
-- and keeps that plan when a matching has put 5,000 rows in. So the order comes from the primary key (no sort), and rows are
-- found again by where they lie (ctid: they are locked, and never updated); a join had read the whole table for each.
--
-- Definer: the worker holds no right on the table.

create or replace function events.take(p_limit integer)
returns table (id bigint, campus_id text, channel text, event text, payload jsonb, emitted_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set enable_sort = off
as $function$
#variable_conflict use_column
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;

  return query
  with taken as (
    delete from events.outbox as queue
    where queue.ctid = any(array(
      select oldest.ctid
      from events.outbox as oldest
      order by oldest.id
      limit p_limit
      for update skip locked
    ))
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

-- source: db/functions/identity/add_key.sql
-- identity.add_key(p_key_id, p_secret): from now on, sign access tokens with this key. Repeatable.
--
-- The secret is the text that PostgREST has as its jwt-secret, or the decoded `k` of a JWK. Tokens signed before keep
-- counting for as long as PostgREST knows their key, too.

create or replace function identity.add_key(p_key_id text, p_secret bytea)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  insert into identity.keys (key_id, purpose, secret)
  values (p_key_id, 'access', p_secret)
  on conflict (key_id) do nothing;

  -- One that is known, but no longer the newest, becomes it again: whoever takes PostgREST back to its former key.
  if not found then
    update identity.keys
    set created_at = clock_timestamp()
    where keys.key_id = p_key_id
      and keys.purpose = 'access'
      and keys.secret = p_secret
      and exists (
        select from identity.keys as newer where newer.purpose = 'access' and newer.created_at > keys.created_at
      );
  end if;

  -- Another secret under a known name would make its tokens worthless without a word.
  if not exists (
    select
    from identity.keys
    where keys.key_id = p_key_id
      and keys.purpose = 'access'
      and keys.secret = p_secret
  ) then
    perform app.refuse('key_exists');
  end if;
exception
  when check_violation or not_null_violation then
    perform app.refuse('key_invalid');
end;
$function$;

comment on function identity.add_key(text, bytea) is
'Sign access tokens with this key from now on. Repeatable. Refuses key_exists, key_invalid.';

revoke all on function identity.add_key(text, bytea) from public;

-- source: db/functions/identity/address_pseudonym.sql
-- identity.address_pseudonym(p_email): what stands for an address when its member is gone.
--
-- Keyed, so that nobody who reads the table can try addresses; always the same, so that who comes back is the same
-- member: a block against them holds, and a suspension. So always with the first key for refresh tokens: a newer one
-- would make a stranger of everybody who is gone.
--
-- Definer: called by the app as circle27_owner, which reads no key.

create or replace function identity.address_pseudonym(p_email text)
returns text
language plpgsql
stable
strict
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return encode(
    identity.hmac_sha256(
      (
        select keys.secret
        from identity.keys
        where keys.purpose = 'refresh'
        order by keys.created_at, keys.key_id
        limit 1
      ),
      convert_to('address:' || p_email, 'UTF8')
    ),
    'hex'
  ) || '@deleted.invalid';
end;
$function$;

comment on function identity.address_pseudonym(text) is
'What stands in app.users for this address when its member has deleted the account.';

revoke all on function identity.address_pseudonym(text) from public;
grant execute on function identity.address_pseudonym(text) to circle27_owner;

-- source: db/functions/identity/base64url.sql
-- identity.base64url(p_bytes): base64 of RFC 4648, 5, without padding, as tokens carry it.

create or replace function identity.base64url(p_bytes bytea)
returns text
language sql
immutable
strict
parallel safe
as $function$
  select pg_catalog.translate(pg_catalog.encode(p_bytes, 'base64'), E'+/=\n', '-_')
$function$;

comment on function identity.base64url(bytea) is
'base64url without padding.';

revoke all on function identity.base64url(bytea) from public;

-- source: db/functions/identity/begin_session.sql
-- identity.begin_session(p_campus_id, p_user_id, p_now): sign a member in; returns the session.

create or replace function identity.begin_session(p_campus_id text, p_user_id uuid, p_now timestamptz)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session_id uuid := gen_random_uuid();
begin
  insert into identity.sessions (
    session_id, campus_id, user_id, created_at, renewed_at, expires_at, user_agent, address
  )
  select
    v_session_id, p_campus_id, p_user_id, p_now, p_now, p_now + settings.session_idle_life,
    identity.request_header('user-agent', 200), identity.request_header('x-real-ip', 64)
  from identity.settings;

  perform audit.record('session.begun', p_campus_id, p_user_id, null, jsonb_build_object('sessionId', v_session_id));
  return v_session_id;
end;
$function$;

comment on function identity.begin_session(text, uuid, timestamptz) is
'Sign a member in; returns the session.';

revoke all on function identity.begin_session(text, uuid, timestamptz) from public;

-- source: db/functions/identity/end_session.sql
-- identity.end_session(p_session_id, p_action, p_now): the session is over, and so is its stream.
--
-- Its access tokens are refused from this commit on (app.pre_request). Ended before: nothing more happens.

create or replace function identity.end_session(p_session_id uuid, p_action text, p_now timestamptz)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session identity.sessions;
begin
  update identity.sessions
  set ended_at = p_now
  where sessions.session_id = p_session_id
    and sessions.ended_at is null
  returning *
  into v_session;

  if not found then
    return false;
  end if;

  perform app.emit_session_end(v_session.campus_id, v_session.session_id);
  perform audit.record(
    p_action, v_session.campus_id, v_session.user_id, null, jsonb_build_object('sessionId', p_session_id)
  );
  return true;
end;
$function$;

comment on function identity.end_session(uuid, text, timestamptz) is
'End a session, tell its stream, note it in the trail as p_action; whether it was not over yet.';

revoke all on function identity.end_session(uuid, text, timestamptz) from public;

-- source: db/functions/identity/erase.sql
-- identity.erase(p_user_id, p_email, p_now): sign a member out everywhere, and forget where they were signed in.
--
-- The codes first: who is signing in with one at this moment is waited for, and signed out with the others.
--
-- Definer: called by the app as circle27_owner, which sees no table of this schema.

create or replace function identity.erase(p_user_id uuid, p_email text, p_now timestamptz)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  -- The mail first, as all who touch both.
  delete from identity.mails where mails.recipient = p_email;
  delete from identity.login_codes where login_codes.email = p_email;

  perform identity.end_session(ended.session_id, 'session.ended', p_now)
  from (
    select sessions.session_id
    from identity.sessions
    where sessions.user_id = p_user_id
      and sessions.ended_at is null
    order by sessions.session_id  -- as in identity.sign_out_everywhere()
  ) as ended;

  update identity.sessions
  set user_agent = null,
    address = null
  where sessions.user_id = p_user_id;
end;
$function$;

comment on function identity.erase(uuid, text, timestamptz) is
'Sign a member out everywhere; forget addresses, clients, codes and mail.';

revoke all on function identity.erase(uuid, text, timestamptz) from public;
grant execute on function identity.erase(uuid, text, timestamptz) to circle27_owner;

-- source: db/functions/identity/forget_former_keys.sql
-- identity.forget_former_keys(): only the key that signs access tokens now stays; returns how many went.
--
-- For when nobody accepts the former ones any more: a secret that is of no use is one less to lose. What it signed counts
-- or not as PostgREST says, which has its own copy.

create or replace function identity.forget_former_keys()
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_gone integer;
begin
  delete from identity.keys as former
  where former.purpose = 'access'
    and exists (
      select
      from identity.keys as newer
      where newer.purpose = 'access'
        and newer.created_at > former.created_at
    );
  get diagnostics v_gone = row_count;
  return v_gone;
end;
$function$;

comment on function identity.forget_former_keys() is
'Delete the keys for access tokens but the one that signs now; how many.';

revoke all on function identity.forget_former_keys() from public;

-- source: db/functions/identity/forget_old.sql
-- identity.forget_old(p_now): delete requests for codes and sessions that can't matter any more; returns how many.
--
-- An ended session is remembered for as long as one of its access tokens may be about: those of other issuers, and of
-- `circle27 token`, live for up to 366 days.
--
-- Definer: the worker holds no right on the tables.

create or replace function identity.forget_old(p_now timestamptz default clock_timestamp())
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_codes    integer;
  v_sessions integer;
begin
  delete from identity.login_codes
  where login_codes.requested_at < p_now - interval '24 hours'
    and not exists (select from identity.mails where mails.recipient = login_codes.email);
  get diagnostics v_codes = row_count;

  delete from identity.sessions
  where sessions.expires_at < p_now - interval '24 hours'
    and (sessions.ended_at is null or sessions.ended_at < p_now - interval '8808 hours');
  get diagnostics v_sessions = row_count;

  return v_codes + v_sessions;
end;
$function$;

comment on function identity.forget_old(timestamptz) is
'Delete requests for codes and sessions that can''t matter any more; how many.';

revoke all on function identity.forget_old(timestamptz) from public;
grant execute on function identity.forget_old(timestamptz) to circle27_worker;

-- source: db/functions/identity/hmac_sha256.sql
-- identity.hmac_sha256(p_key, p_message): HMAC of RFC 2104 over the server's own sha256().
--
-- pgcrypto has one, too; but where it is installed, and whether, differs from server to server, and a definer must
-- name its schema. Tested with the vectors of RFC 4231.

create or replace function identity.hmac_sha256(p_key bytea, p_message bytea)
returns bytea
language plpgsql
immutable
strict
parallel safe
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_key   bytea := case when octet_length(p_key) > 64 then sha256(p_key) else p_key end;
  v_inner bytea := decode(repeat('36', 64), 'hex');
  v_outer bytea := decode(repeat('5c', 64), 'hex');
begin
  for v_at in 0 .. octet_length(v_key) - 1 loop
    v_inner := set_byte(v_inner, v_at, get_byte(v_inner, v_at) # get_byte(v_key, v_at));
    v_outer := set_byte(v_outer, v_at, get_byte(v_outer, v_at) # get_byte(v_key, v_at));
  end loop;
  return sha256(v_outer || sha256(v_inner || p_message));
end;
$function$;

comment on function identity.hmac_sha256(bytea, bytea) is
'HMAC-SHA256 (RFC 2104): 32 bytes.';

revoke all on function identity.hmac_sha256(bytea, bytea) from public;

-- source: db/functions/identity/mail_failed.sql
-- identity.mail_failed(p_mail_id, p_attempt, p_refused, p_error, p_now, p_by_server): the attempt failed.
--
-- p_refused: the server took the time to say that it will never take this mail (no such mailbox). The mail is forgotten,
-- and nothing is wrong with the server.
-- Otherwise the mail rests 2 s, 4 s, 8 s ... 5 min, and the failure counts for the breaker: five in a row, and the server is
-- left alone for 10 s, 20 s ... 5 min.
-- p_by_server false: the server is well, and refused this recipient for now (a full mailbox, greylisting). The mail rests, and that
-- counts for nothing: else five such addresses, which anybody may name, would keep everybody's mail.
-- p_error null: it was not even tried, as the server failed the mail before it. Counts for nothing, and is due at once.
-- What was in hand when that began fails with the rest, and counts no more: ten mails
-- that meet one short outage are no reason to leave it alone for minutes.
--
-- Definer: the worker holds no right on the tables.

create or replace function identity.mail_failed(
  p_mail_id bigint,
  p_attempt integer,
  p_refused boolean,
  p_error text,
  p_now timestamptz default clock_timestamp(),
  p_by_server boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_longest constant integer := 300;
  v_patience constant integer := 5;
begin
  if p_refused then
    delete from identity.mails
    where mails.mail_id = p_mail_id
      and mails.attempts = p_attempt;

    if found then
      perform audit.record('mail.refused', null, null, null, jsonb_build_object('mailId', p_mail_id));

      -- If it was the trial, it told nothing: another mail may be one at once.
      update identity.mail_server
      set trial_until = null
      where mail_server.trial_until is not null;
    end if;
    return;
  end if;

  if p_error is null then
    update identity.mails
    set next_try_at = p_now
    where mails.mail_id = p_mail_id
      and mails.attempts = p_attempt;
    return;
  end if;

  update identity.mails
  set next_try_at = p_now + make_interval(secs => least(v_longest, 2.0 ^ least(p_attempt, 20)))
  where mails.mail_id = p_mail_id
    and mails.attempts = p_attempt;

  if not p_by_server then
    return;
  end if;

  update identity.mail_server
  set failures = failures + 1,
    failed_at = p_now,
    error = left(p_error, 200),
    trial_until = null,
    open_until = case
      when failures + 1 >= v_patience
        then p_now + make_interval(secs => least(v_longest, 10 * 2.0 ^ least(failures + 1 - v_patience, 20)))
    end
  where mail_server.open_until is null
    or mail_server.open_until <= p_now;
end;
$function$;

comment on function identity.mail_failed(bigint, integer, boolean, text, timestamptz, boolean) is
'This attempt failed: for ever (p_refused), or to be tried again, which tells of the server if p_by_server; p_error null: it was not tried. Keeps the first 200 characters of p_error.';

revoke all on function identity.mail_failed(bigint, integer, boolean, text, timestamptz, boolean) from public;
grant execute on function identity.mail_failed(bigint, integer, boolean, text, timestamptz, boolean) to circle27_worker;

-- source: db/functions/identity/mail_sent.sql
-- identity.mail_sent(p_mail_id, p_attempt): the mail server has it. The breaker closes.
--
-- Definer: the worker holds no right on the tables.

create or replace function identity.mail_sent(p_mail_id bigint, p_attempt integer)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  delete from identity.mails
  where mails.mail_id = p_mail_id
    and mails.attempts = p_attempt;

  update identity.mail_server
  set failures = 0,
    open_until = null,
    trial_until = null
  where mail_server.failures > 0
    or mail_server.open_until is not null;
end;
$function$;

comment on function identity.mail_sent(bigint, integer) is
'The mail server has taken this attempt.';

revoke all on function identity.mail_sent(bigint, integer) from public;
grant execute on function identity.mail_sent(bigint, integer) to circle27_worker;

-- source: db/functions/identity/mail_status.sql
-- identity.mail_status(p_now): how the mail goes: for `circle27 status` and for monitoring.
--
-- Definer: the monitor holds no right on the tables, and learns no address here.

create or replace function identity.mail_status(p_now timestamptz default clock_timestamp())
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select jsonb_build_object(
      'breaker', case when server.open_until is null then 'closed' when server.open_until > p_now then 'open' else 'trying' end,
      'openUntil', server.open_until,
      'failures', server.failures,
      'failedAt', server.failed_at,
      'error', server.error,
      'waiting', (select count(*) from identity.mails),
      'oldestAt', (select min(mails.created_at) from identity.mails)
    )
    from identity.mail_server as server
  );
end;
$function$;

comment on function identity.mail_status(timestamptz) is
'How the mail goes: {breaker: closed, open or trying, openUntil, failures, failedAt, error, waiting, oldestAt}.';

revoke all on function identity.mail_status(timestamptz) from public;
grant execute on function identity.mail_status(timestamptz) to circle27_monitor;

-- source: db/functions/identity/member_sessions.sql
-- identity.member_sessions(p_user_id, p_session_id, p_now): where the member is signed in, the newest first.
--
-- p_now null: also where they were, for as long as that is remembered, address and client included: for the export.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.member_sessions(p_user_id uuid, p_session_id uuid, p_now timestamptz)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'sessionId', sessions.session_id,
          'current', sessions.session_id is not distinct from p_session_id,
          'signedInAt', sessions.created_at,
          'renewedAt', sessions.renewed_at,
          'userAgent', sessions.user_agent,
          'address', sessions.address
        )
        order by sessions.renewed_at desc, sessions.session_id
      )
      from identity.sessions
      where sessions.user_id = p_user_id
        and (p_now is null or (sessions.ended_at is null and sessions.expires_at > p_now))
    ),
    '[]'
  );
end;
$function$;

comment on function identity.member_sessions(uuid, uuid, timestamptz) is
'Where the member is signed in: [{sessionId, current, signedInAt, renewedAt, userAgent, address}], the newest first; p_now null: also where they were.';

revoke all on function identity.member_sessions(uuid, uuid, timestamptz) from public;
grant execute on function identity.member_sessions(uuid, uuid, timestamptz) to circle27_owner;

-- source: db/functions/identity/note_session.sql
-- identity.note_session(p_campus_id, p_user_id, p_session_id, p_now): know this session, and that it is the member's.
--
-- A token of another issuer has a session that is not known here. Noted, it can be ended.

create or replace function identity.note_session(
  p_campus_id text, p_user_id uuid, p_session_id uuid, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
  insert into identity.sessions (session_id, campus_id, user_id, created_at, renewed_at, expires_at)
  values (p_session_id, p_campus_id, p_user_id, p_now, p_now, p_now)
  on conflict (session_id) do nothing;

  -- Somebody else's session under this id: an issuer's fault, and not this member's to end.
  if exists (
    select
    from identity.sessions
    where sessions.session_id = p_session_id
      and sessions.user_id <> p_user_id
  ) then
    perform app.refuse('not_yours');
  end if;
end;
$function$;

comment on function identity.note_session(text, uuid, uuid, timestamptz) is
'Know this session, and that it is the member''s. Refuses not_yours.';

revoke all on function identity.note_session(text, uuid, uuid, timestamptz) from public;

-- source: db/functions/identity/queue_circle_mails.sql
-- identity.queue_circle_mails(...): a mail about one slot's circle to each of these members, to be written when it is taken.
--
-- Due after p_pause, of no use after p_life.
--
-- One that still waits is enough, for it will say what is true when it is sent. One that is on its way may be too early:
-- it counts as another attempt, so that it is not forgotten when that one was sent, and goes out again.
--
-- Definer: called by the app as circle27_owner, which sees no table of this schema.

create or replace function identity.queue_circle_mails(
  p_campus_id text,
  p_time_slot timestamptz,
  p_user_ids uuid[],
  p_recipients text[],
  p_life interval,
  p_pause interval,
  p_now timestamptz default clock_timestamp()
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  insert into identity.mails as mails (kind, recipient, facts, created_at, expires_at, next_try_at)
  select
    'circle',
    told.recipient,
    jsonb_build_object('campusId', p_campus_id, 'userId', told.user_id, 'timeSlot', p_time_slot),
    p_now,
    p_now + p_life,
    p_now + p_pause
  from unnest(p_user_ids, p_recipients) as told (user_id, recipient)
  on conflict (recipient, (facts ->> 'timeSlot')) where kind = 'circle' do update
  set attempts = mails.attempts + 1, next_try_at = excluded.next_try_at
  where mails.attempts > 0;
end;
$function$;

comment on function identity.queue_circle_mails(text, timestamptz, uuid[], text[], interval, interval, timestamptz) is
'Put a mail about one slot''s circle to each of these members into the queue; one that waits already is enough.';

revoke all on function identity.queue_circle_mails(
  text, timestamptz, uuid[], text[], interval, interval, timestamptz
) from public;
grant execute on function identity.queue_circle_mails(
  text, timestamptz, uuid[], text[], interval, interval, timestamptz
) to circle27_owner;

-- source: db/functions/identity/queue_slot_mails.sql
-- identity.queue_slot_mails(p_campus_id, p_time_slot, p_life): a mail about their circle to everybody of one slot: one row.
--
-- Everybody waits for the matching, so it does not write 2,500 mails: identity.take_mails() does, when this one is due. In
-- ten seconds: by then all have heard by the stream. After p_life it is of no use; nothing is queued if that is now.
--
-- Definer: called by the app as circle27_owner, which sees no table of this schema.

create or replace function identity.queue_slot_mails(
  p_campus_id text, p_time_slot timestamptz, p_life interval, p_now timestamptz default clock_timestamp()
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
begin
  insert into identity.mails (kind, facts, created_at, expires_at, next_try_at)
  select
    'circles',
    jsonb_build_object('campusId', p_campus_id, 'timeSlot', p_time_slot),
    p_now,
    p_now + p_life,
    p_now + interval '10 seconds'
  where p_life > interval '0';
end;
$function$;

comment on function identity.queue_slot_mails(text, timestamptz, interval, timestamptz) is
'Put the mails about their circles to everybody of one slot into the queue, as one row that is taken apart later.';

revoke all on function identity.queue_slot_mails(text, timestamptz, interval, timestamptz) from public;
grant execute on function identity.queue_slot_mails(text, timestamptz, interval, timestamptz) to circle27_owner;

-- source: db/functions/identity/refresh_session.sql
-- identity.refresh_session(p_refresh_token, p_now): new tokens for a session; the old refresh token is used up.
--
-- An old token that comes back means that two parties hold the session: it ends for both. Only the one before the newest may
-- come again, for 10 seconds: an answer got lost, or two tabs refreshed at once. It gets what the first one got.
-- A token that was never given out proves nothing, and ends nothing.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.refresh_session(p_refresh_token text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_repeat constant interval := interval '10 seconds';

  v_parts      text[] := regexp_match(
    p_refresh_token, '^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})$'
  );
  v_generation integer := v_parts[2]::integer;
  v_settings   identity.settings := (select settings from identity.settings);
  v_session    identity.sessions;
begin
  if v_parts is null
    or identity.base64url(identity.secret_hash('refresh:' || v_parts[1] || '.' || v_parts[2]))
    is distinct from v_parts[3]
  then
    return app.denial('session_over');
  end if;

  select *
  into v_session
  from identity.sessions
  where sessions.session_id = v_parts[1]::uuid
  for update;

  -- Less than a second before its end there is no token that short. (Its life may have been made shorter meanwhile.)
  if v_session.session_id is null
    or v_session.ended_at is not null
    or least(v_session.expires_at, v_session.created_at + v_settings.session_life) < p_now + interval '1 second'
  then
    return app.denial('session_over');
  end if;

  if v_generation = v_session.generation then
    update identity.sessions
    set generation = generation + 1,
      renewed_at = greatest(p_now, renewed_at),  -- the server's clock may have been set back
      expires_at = least(p_now + v_settings.session_idle_life, created_at + v_settings.session_life),
      user_agent = coalesce(identity.request_header('user-agent', 200), user_agent),
      address = coalesce(identity.request_header('x-real-ip', 64), address)
    where sessions.session_id = v_session.session_id;
  elsif v_generation <> v_session.generation - 1 or v_session.renewed_at <= p_now - v_repeat then
    perform identity.end_session(v_session.session_id, 'session.reused', p_now);
    return app.denial('refresh_token_reused');
  end if;

  return identity.session_tokens(v_session.session_id, p_now);
end;
$function$;

comment on function identity.refresh_session(text, timestamptz) is
'New tokens for a session, as identity.session_tokens(), or the denials session_over, refresh_token_reused. Refuses login_unavailable, member_not_found.';

revoke all on function identity.refresh_session(text, timestamptz) from public;
grant execute on function identity.refresh_session(text, timestamptz) to circle27_owner;

-- source: db/functions/identity/request_header.sql
-- identity.request_header(p_name, p_length): a header of this request, cut to p_length characters; null outside one.

create or replace function identity.request_header(p_name text, p_length integer)
returns text
language sql
stable
parallel safe
as $function$
  select pg_catalog.left(nullif(pg_catalog.current_setting('request.headers', true), '')::pg_catalog.json ->> p_name, p_length)
$function$;

comment on function identity.request_header(text, integer) is
'A header of this request (lower-case name), cut to p_length characters; null outside of a request.';

revoke all on function identity.request_header(text, integer) from public;

-- source: db/functions/identity/request_login_code.sql
-- identity.request_login_code(p_email, p_now): ask for a login code by e-mail.
--
-- The answer and the work are the same whether or not a member has the address: who signs in for the first time
-- becomes one. The code itself is made when the mail is taken (identity.take_mails): no table ever holds it, and a
-- mail server that was away for an hour still delivers one that counts.
--
-- Strict by address: 5 at once and 5 an hour, one mail in 30 seconds. To ask again earlier is no error: the
-- answer is the same, and says for how long that mail is the last.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.request_login_code(p_email text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_most      constant numeric := 5;
  v_each      constant interval := interval '12 minutes';
  v_pause     constant interval := interval '30 seconds';
  v_mail_life constant interval := interval '24 hours';

  v_email     text := lower(btrim(p_email));
  v_campus_id text := app.email_campus(v_email);  -- refuses email_invalid, email_domain_unknown
  v_request   identity.login_codes;
  v_allowance numeric;
  v_code_life interval := (select settings.code_life from identity.settings);
begin
  -- The mail before the code, as in identity.take_mails(): who asks and who sends never wait for each other in a circle.
  perform
  from identity.mails
  where mails.recipient = v_email
    and mails.kind = 'login_code'
  for update;

  -- Its own first request is due at once. A row that is there is only locked: identity.forget_old() can't take it away.
  insert into identity.login_codes (email, requested_at, allowance)
  values (v_email, p_now - v_pause, v_most)
  on conflict (email) do update
  set email = excluded.email
  where false;

  select *
  into strict v_request
  from identity.login_codes
  where login_codes.email = v_email;

  if v_request.requested_at <= p_now - v_pause then
    v_allowance := least(
      v_most, v_request.allowance + extract(epoch from p_now - v_request.requested_at) / extract(epoch from v_each)
    );
    if v_allowance < 1 then
      return app.denial('login_codes_exhausted', ceil((1 - v_allowance) * extract(epoch from v_each))::integer);
    end if;

    update identity.login_codes
    set requested_at = p_now,
      allowance = v_allowance - 1
    where login_codes.email = v_email;
    v_request.requested_at := p_now;

    insert into identity.mails (kind, recipient, facts, created_at, expires_at, next_try_at)
    values (
      'login_code', v_email, jsonb_build_object('campusId', v_campus_id), p_now, p_now + v_mail_life, p_now
    )
    on conflict (recipient) where kind = 'login_code' do update
    set expires_at = excluded.expires_at;

    perform audit.record('login.requested', v_campus_id);
  end if;

  return jsonb_build_object(
    'email', v_email,
    'codeLivesSeconds', extract(epoch from v_code_life)::integer,
    'askAgainAt', v_request.requested_at + v_pause
  );
end;
$function$;

comment on function identity.request_login_code(text, timestamptz) is
'Ask for a login code by e-mail: {email, codeLivesSeconds, askAgainAt}, or the denial login_codes_exhausted. Refuses email_invalid, email_domain_unknown.';

revoke all on function identity.request_login_code(text, timestamptz) from public;
grant execute on function identity.request_login_code(text, timestamptz) to circle27_owner;

-- source: db/functions/identity/secret_hash.sql
-- identity.secret_hash(p_text): HMAC with the key that never leaves this schema: of codes and of refresh tokens.

create or replace function identity.secret_hash(p_text text)
returns bytea
language plpgsql
stable
strict
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_secret bytea := (
    select keys.secret from identity.keys where keys.purpose = 'refresh' order by keys.created_at desc limit 1
  );
begin
  -- Never a null: compared with anything it is neither right nor wrong.
  if v_secret is null then
    perform app.refuse('login_unavailable');
  end if;
  return identity.hmac_sha256(v_secret, convert_to(p_text, 'UTF8'));
end;
$function$;

comment on function identity.secret_hash(text) is
'HMAC of a text with the newest key for refresh tokens: 32 bytes. Refuses login_unavailable.';

revoke all on function identity.secret_hash(text) from public;

-- source: db/functions/identity/session_is_over.sql
-- identity.session_is_over(p_session_id): whether this session was ended. Asked before each request of a member.
--
-- One that is not known is not over: another issuer's. One that nobody refreshed needs no question: its tokens have expired.
-- Reads an index that holds only the ended ones.
--
-- Definer: asked as the role of the request, which sees no table of this schema.

create or replace function identity.session_is_over(p_session_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return exists (
    select
    from identity.sessions
    where sessions.session_id = p_session_id
      and sessions.ended_at is not null
  );
end;
$function$;

comment on function identity.session_is_over(uuid) is
'Whether this session was ended.';

revoke all on function identity.session_is_over(uuid) from public;
grant execute on function identity.session_is_over(uuid) to authenticated;

-- source: db/functions/identity/session_tokens.sql
-- identity.session_tokens(p_session_id, p_now): the tokens of a session as it is now.
--
-- A refresh token is <session>.<generation>.<HMAC of both>. So nothing of it is stored, none can be invented, an old
-- one is known as an old one, and to make the same one again (an answer got lost) takes no memory.
-- No access token outlives its session.

create or replace function identity.session_tokens(p_session_id uuid, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session identity.sessions;
  v_life    interval;
  v_claims  jsonb;
  v_refresh text;
begin
  select *
  into strict v_session
  from identity.sessions
  where sessions.session_id = p_session_id;

  v_life := least((select settings.access_token_life from identity.settings), v_session.expires_at - p_now);
  v_claims := identity.token_claims(v_session.user_id, v_life, v_session.session_id, p_now);
  v_refresh := v_session.session_id || '.' || v_session.generation;

  return jsonb_build_object(
    'accessToken', identity.sign_token(v_claims),
    'tokenType', 'bearer',
    'expiresIn', (v_claims ->> 'exp')::bigint - (v_claims ->> 'iat')::bigint,
    'expiresAt', to_timestamp((v_claims ->> 'exp')::bigint),
    'refreshToken', v_refresh || '.' || identity.base64url(identity.secret_hash('refresh:' || v_refresh)),
    'sessionId', v_session.session_id,
    'userId', v_session.user_id,
    'campusId', v_session.campus_id,
    'timeZone', v_claims ->> 'tz'
  );
end;
$function$;

comment on function identity.session_tokens(uuid, timestamptz) is
'{accessToken, tokenType, expiresIn, expiresAt, refreshToken, sessionId, userId, campusId, timeZone}. Refuses login_unavailable, member_not_found.';

revoke all on function identity.session_tokens(uuid, timestamptz) from public;

-- source: db/functions/identity/sign_out.sql
-- identity.sign_out(p_campus_id, p_user_id, p_session_id, p_now): end this session of the member.
--
-- A token of another issuer has a session that is not known here: it is noted as ended, so that it counts no more.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.sign_out(p_campus_id text, p_user_id uuid, p_session_id uuid, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform identity.note_session(p_campus_id, p_user_id, p_session_id, p_now);  -- refuses not_yours
  perform identity.end_session(p_session_id, 'session.ended', p_now);
  return jsonb_build_object('signedOut', true);
end;
$function$;

comment on function identity.sign_out(text, uuid, uuid, timestamptz) is
'End this session of the member: {signedOut}. Refuses not_yours.';

revoke all on function identity.sign_out(text, uuid, uuid, timestamptz) from public;
grant execute on function identity.sign_out(text, uuid, uuid, timestamptz) to circle27_owner;

-- source: db/functions/identity/sign_out_everywhere.sql
-- identity.sign_out_everywhere(p_campus_id, p_user_id, p_session_id, p_now): end all sessions of the member.
--
-- p_session_id is the one that asks, if it has one: it may be another issuer's, and not known yet.
-- All in one order, its own no earlier than the others: two devices that do this at once never wait for each other in a
-- circle. What has run out by itself is left to identity.forget_old().
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.sign_out_everywhere(
  p_campus_id text, p_user_id uuid, p_session_id uuid, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_session_id uuid;
begin
  if p_session_id is not null then
    perform identity.note_session(p_campus_id, p_user_id, p_session_id, p_now);  -- refuses not_yours
  end if;

  for v_session_id in
    select sessions.session_id
    from identity.sessions
    where sessions.user_id = p_user_id
      and sessions.ended_at is null
      and (sessions.expires_at > p_now or sessions.session_id = p_session_id)
    order by sessions.session_id
  loop
    perform identity.end_session(v_session_id, 'session.ended', p_now);
  end loop;
  return jsonb_build_object('signedOut', true);
end;
$function$;

comment on function identity.sign_out_everywhere(text, uuid, uuid, timestamptz) is
'End all sessions of the member: {signedOut}. Refuses not_yours.';

revoke all on function identity.sign_out_everywhere(text, uuid, uuid, timestamptz) from public;
grant execute on function identity.sign_out_everywhere(text, uuid, uuid, timestamptz) to circle27_owner;

-- source: db/functions/identity/sign_token.sql
-- identity.sign_token(p_claims): a signed JWT (HS256) of these claims, with the newest key.
--
-- PostgREST holds the same key, and checks what this makes.

create or replace function identity.sign_token(p_claims jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_key     record;
  v_signed  text;
begin
  select keys.key_id, keys.secret
  into v_key
  from identity.keys
  where keys.purpose = 'access'
  order by keys.created_at desc
  limit 1;

  if not found then
    perform app.refuse('login_unavailable');
  end if;

  v_signed := identity.base64url(
    convert_to(jsonb_build_object('alg', 'HS256', 'typ', 'JWT', 'kid', v_key.key_id)::text, 'UTF8')
  ) || '.' || identity.base64url(convert_to(p_claims::text, 'UTF8'));
  return v_signed || '.' || identity.base64url(identity.hmac_sha256(v_key.secret, convert_to(v_signed, 'UTF8')));
end;
$function$;

comment on function identity.sign_token(jsonb) is
'A JWT (HS256) of these claims, signed with the newest access key. Refuses login_unavailable.';

revoke all on function identity.sign_token(jsonb) from public;

-- source: db/functions/identity/take_mails.sql
-- identity.take_mails(p_limit, p_now): the mails that are due, each for one minute in the hands of who took it.
--
-- Whoever dies with a mail in hand loses nothing: after the minute another takes it. (A mail may so go out
-- twice, never not at all.) What is of no use any more is forgotten here.
--
-- Login codes first: somebody waits for each.
--
-- What a mail says about a circle is looked up now: a circle that has changed since is told as it is. Nothing is sent to who
-- wants no such mail any more. The mails of a whole slot are put into the queue now, for the next call: the matching, for
-- which everybody waits, writes one row.
--
-- A login code is made now, and stands nowhere but in the answer: the table keeps its hash, and its ten minutes begin.
-- A code that was sent before and not used stops counting.
--
-- The circuit breaker: while the server is left alone, none; after that one, to try it, however many ask.
--
-- Definer: the worker holds no right on the tables.

create or replace function identity.take_mails(p_limit integer, p_now timestamptz default clock_timestamp())
returns table (mail_id bigint, attempt integer, kind text, recipient text, facts jsonb)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_lease    constant interval := interval '1 minute';
  v_server   identity.mail_server := (select mail_server from identity.mail_server);
  v_settings identity.settings := (select settings from identity.settings);
  v_mail     identity.mails;
  v_code     text;
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;
  if v_server.open_until > p_now then
    return;
  end if;

  for v_mail in
    select *
    from identity.mails
    where mails.next_try_at <= p_now
    order by mails.kind <> 'login_code', mails.next_try_at, mails.mail_id
    limit case when v_server.open_until is null then p_limit else 1 end
    for update skip locked
  loop
    if v_mail.expires_at <= p_now then
      delete from identity.mails where mails.mail_id = v_mail.mail_id;
      perform audit.record('mail.expired', v_mail.facts ->> 'campusId');
      continue;
    end if;

    if v_server.open_until is not null then
      update identity.mail_server
      set trial_until = p_now + v_lease
      where coalesce(mail_server.trial_until, '-infinity') <= p_now;

      if not found then
        return;  -- another tries it now
      end if;
    end if;

    update identity.mails
    set attempts = attempts + 1,
      next_try_at = p_now + v_lease
    where mails.mail_id = v_mail.mail_id;

    if v_mail.kind = 'login_code' then
      -- 32 of the 122 random bits; that a million does not divide 2^32 makes no code likelier by more than 1 in 4,000.
      v_code := lpad((('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint % 1000000)::text, 6, '0');

      update identity.login_codes
      set code_hash = identity.secret_hash('code:' || v_mail.recipient || ':' || v_code),
        code_expires_at = p_now + v_settings.code_life,
        tries_left = v_settings.code_tries,
        used_at = null,
        session_id = null
      where login_codes.email = v_mail.recipient;

      v_mail.facts := v_mail.facts || jsonb_build_object(
        'code', v_code, 'livesMinutes', ceil(extract(epoch from v_settings.code_life) / 60)::integer
      );
    elsif v_mail.kind = 'circles' then
      delete from identity.mails where mails.mail_id = v_mail.mail_id;
      perform app.mail_slot(v_mail.facts ->> 'campusId', (v_mail.facts ->> 'timeSlot')::timestamptz);
      continue;
    elsif v_mail.kind = 'circle' then
      v_mail.facts := app.circle_mail(
        v_mail.facts ->> 'campusId', (v_mail.facts ->> 'userId')::uuid, (v_mail.facts ->> 'timeSlot')::timestamptz
      );
      if v_mail.facts is null then
        delete from identity.mails where mails.mail_id = v_mail.mail_id;
        continue;
      end if;
    end if;

    return query values (v_mail.mail_id, v_mail.attempts + 1, v_mail.kind, v_mail.recipient, v_mail.facts);
  end loop;
end;
$function$;

comment on function identity.take_mails(integer, timestamptz) is
'Mails that are due, for one minute in the caller''s hands: then say mail_sent or mail_failed. Refuses limit_invalid.';

revoke all on function identity.take_mails(integer, timestamptz) from public;
grant execute on function identity.take_mails(integer, timestamptz) to circle27_worker;

-- source: db/functions/identity/token_claims.sql
-- identity.token_claims(p_user_id, p_ttl, p_session_id, p_now): the claims of a member's access token. Who calls it signs them.
--
-- Real time: a token's life never follows the app clock.

create or replace function identity.token_claims(
  p_user_id uuid,
  p_ttl interval default interval '1 hour',
  p_session_id uuid default gen_random_uuid(),
  p_now timestamptz default clock_timestamp()
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_issued_at bigint := floor(extract(epoch from p_now));
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
    'session_id', p_session_id,
    'campus_id', v_member.campus_id,
    'tier', v_member.tier,
    'tz', v_member.time_zone
  );
end;
$function$;

comment on function identity.token_claims(uuid, interval, uuid, timestamptz) is
'The claims of a member''s access token, to be signed by the caller. Refuses member_not_found, ttl_invalid.';

revoke all on function identity.token_claims(uuid, interval, uuid, timestamptz) from public;

-- source: db/functions/identity/verify_login_code.sql
-- identity.verify_login_code(p_email, p_code, p_now): sign in with the code that came by e-mail.
--
-- One refusal for a code that is wrong, too old, used up, or was never asked for: it tells nothing about the address.
-- A wrong try is counted and survives its refusal. A hundred tries at once wait for each other at the row, so there are
-- never more than the code has.
--
-- Repeatable: who sends the right code again within 10 seconds (the answer got lost) gets the tokens of the same session.
-- Wrong tries count in these seconds, too: else a code that was just used could be guessed without end.
--
-- Definer: called by the api as circle27_owner, which sees no table of this schema.

create or replace function identity.verify_login_code(p_email text, p_code text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_repeat constant interval := interval '10 seconds';

  v_email     text := lower(btrim(p_email));
  v_hash      bytea := identity.secret_hash('code:' || v_email || ':' || btrim(p_code));
  v_request   identity.login_codes;
  v_campus_id text;
  v_member    record;
begin
  select *
  into v_request
  from identity.login_codes
  where login_codes.email = v_email
  for update;

  if v_request.code_hash is null
    or v_request.tries_left = 0
    or (v_request.used_at is null and v_request.code_expires_at <= p_now)
    or v_request.used_at <= p_now - v_repeat
  then
    return app.denial('login_code_wrong');
  end if;

  -- Before anything is written: a campus may have given its domain up, and that refusal rolls back.
  v_campus_id := app.email_campus(v_email);  -- refuses email_domain_unknown

  if v_hash is distinct from v_request.code_hash then
    update identity.login_codes
    set tries_left = tries_left - 1
    where login_codes.email = v_email;

    perform audit.record(
      'login.denied', v_campus_id, null, null, jsonb_build_object('triesLeft', v_request.tries_left - 1)
    );
    return app.denial('login_code_wrong');
  end if;

  if v_request.used_at is not null then
    if exists (
      select
      from identity.sessions
      where sessions.session_id = v_request.session_id
        and sessions.generation = 0
        and sessions.ended_at is null
    ) then
      return identity.session_tokens(v_request.session_id, p_now);
    end if;
    return app.denial('login_code_wrong');
  end if;

  select *
  into strict v_member
  from app.register_user(v_email);

  v_request.session_id := identity.begin_session(v_member.campus_id, v_member.user_id, p_now);
  update identity.login_codes
  set used_at = p_now,
    session_id = v_request.session_id
  where login_codes.email = v_email;

  return identity.session_tokens(v_request.session_id, p_now);
end;
$function$;

comment on function identity.verify_login_code(text, text, timestamptz) is
'Sign in with the code that came by e-mail: as identity.session_tokens(), or the denial login_code_wrong. Refuses email_domain_unknown, login_unavailable.';

revoke all on function identity.verify_login_code(text, text, timestamptz) from public;
grant execute on function identity.verify_login_code(text, text, timestamptz) to circle27_owner;

set local role circle27_owner;

-- source: db/functions/ops/calls_a_minute.sql
-- ops.calls_a_minute(p_tier): the rate limit of a tier. The gateway has the same numbers (stack/nginx.conf; a test
-- compares them).
--
-- login: calls by which one becomes a member, from one network. A whole campus may sit behind one address, so this is
-- loose; strict is the limit of each e-mail address.
--
-- Not declared strict, though a null gives null: PostgreSQL would no longer write it into who calls it, but call it, at
-- every write (measured: 22 of the 340 microseconds of a join).

create or replace function ops.calls_a_minute(p_tier text)
returns integer
language sql
immutable
parallel safe
as $function$
  select case p_tier
    when 'anon' then 60
    when 'user' then 200
    when 'pro' then 500
    when 'operator' then 1000
    when 'login' then 1000
  end
$function$;

comment on function ops.calls_a_minute(text) is
'The rate limit of a tier: anon, user, pro, operator; and of login by network. Null for any other.';

revoke all on function ops.calls_a_minute(text) from public;

-- source: db/functions/ops/forget_full_buckets.sql
-- ops.forget_full_buckets(): delete the buckets that are full: no row says the same. The worker calls it.
--
-- Takes no row that a call holds, and waits for none, so it can't be part of a deadlock.
--
-- Definer: the worker may touch no table.

create or replace function ops.forget_full_buckets()
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_count integer;
begin
  delete from ops.buckets
  where buckets.caller in (
    select full_ones.caller
    from ops.buckets as full_ones
    where full_ones.full_at <= clock_timestamp()
    for update skip locked
  );
  get diagnostics v_count = row_count;
  return v_count;
end;
$function$;

comment on function ops.forget_full_buckets() is
'Delete the buckets that are full again; returns how many.';

revoke all on function ops.forget_full_buckets() from public;
grant execute on function ops.forget_full_buckets() to circle27_worker;

-- source: db/functions/ops/spend.sql
-- ops.spend(p_caller, p_quota, p_window, p_now): take one token out of a caller's bucket.
--
-- p_quota at once, p_quota / p_window after: over any time t at most p_quota + p_quota * t / p_window. Exact however
-- many callers meet: the row's lock is held until the transaction ends, and a transaction that fails gives its token
-- back. An empty bucket stays as it is: a denied call spends nothing.
--
-- The clock is read within the statement, for it must be read when the row is held: a caller who waited would be
-- measured by the time before the wait. p_now is for tests.
--
-- No settings of its own: part of every write. Who calls it pins search_path.

create or replace function ops.spend(
  p_caller text,
  p_quota integer,
  p_window interval,
  p_now timestamptz default null,
  out remaining integer,
  out retry_after integer
)
returns record
language plpgsql
volatile
as $function$
declare
  v_pace interval := p_window / p_quota;
begin
  insert into ops.buckets as buckets (caller, full_at)
  values (p_caller, coalesce(p_now, clock_timestamp()) + v_pace)
  on conflict on constraint buckets_pkey do update
  set full_at = greatest(buckets.full_at, coalesce(p_now, clock_timestamp())) + v_pace
  where buckets.full_at + v_pace <= coalesce(p_now, clock_timestamp()) + p_window
  returning
    floor(
      extract(epoch from coalesce(p_now, clock_timestamp()) + p_window - buckets.full_at) / extract(epoch from v_pace)
    )
  into remaining;

  if found then
    return;
  end if;

  -- Still locked by this transaction, so it is what was compared.
  retry_after := (
    select greatest(1, ceil(extract(epoch from buckets.full_at + v_pace - p_window - coalesce(p_now, clock_timestamp()))))
    from ops.buckets
    where buckets.caller = p_caller
  );
end;
$function$;

comment on function ops.spend(text, integer, interval, timestamptz) is
'Take one token of p_quota a p_window: what remains; or, where none is left, in how many seconds to come back.';

revoke all on function ops.spend(text, integer, interval, timestamptz) from public;

-- source: db/policies/blocks.sql
-- app.blocks: a member reads whom they block, and never who blocks them; writing goes through the functions.

grant select on app.blocks to authenticated, service_role;

create policy own_blocks on app.blocks
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select app.my_id()));

comment on policy own_blocks on app.blocks is 'A member reads whom they block, never who blocks them.';

-- source: db/policies/campus_domains.sql
-- app.campus_domains: requests read it through the functions only.

grant select on app.campus_domains to service_role;

-- source: db/policies/campuses.sql
-- app.campuses: requests read it through the functions only.

grant select on app.campuses to service_role;

-- source: db/policies/circle_members.sql
-- app.circle_members: a member reads who is in the circles that they are or were in.

grant select (campus_id, time_slot, user_id, circle_no, cancelled_at) on app.circle_members to authenticated;
grant select on app.circle_members to service_role;

create policy places_in_my_circles on app.circle_members
for select
to authenticated
-- The first line finds the rows, the rest decides: the member's own, and those of the same circles. (One policy for
-- both: as alternatives they could not be found that way.)
using (
  ctid = any((select app.my_place_rows())::tid[])
  and (
    user_id = (select app.my_id())
    or (campus_id, time_slot, circle_no) in (
      select
        places.campus_id,
        places.time_slot,
        places.circle_no
      from app.my_places() as places
    )
  )
);

comment on policy places_in_my_circles on app.circle_members is
'A member reads their own places, and who is or was in the same circles.';

create policy open_account on app.circle_members
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.my_id()) is not null);

comment on policy open_account on app.circle_members is 'Who has deleted the account reads nothing, whatever token is left.';

-- source: db/policies/circles.sql
-- app.circles: a member reads the circles they are or were in.

grant select on app.circles to authenticated, service_role;

create policy circles_of_mine on app.circles
for select
to authenticated
-- The first line finds the rows, the rest decides.
using (
  ctid = any((select app.my_circle_rows())::tid[])
  and (campus_id, time_slot, circle_no) in (
    select
      places.campus_id,
      places.time_slot,
      places.circle_no
    from app.my_places() as places
  )
);

comment on policy circles_of_mine on app.circles is 'A member reads the circles that they are or were in.';

create policy open_account on app.circles
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.my_id()) is not null);

comment on policy open_account on app.circles is 'Who has deleted the account reads nothing, whatever token is left.';

-- source: db/policies/clock_offset.sql
-- app.clock_offset: the worker reads the clock; only app.set_clock_offset() moves it.

grant select on app.clock_offset to circle27_worker, service_role;

create policy read_the_clock on app.clock_offset
for select
to circle27_worker
-- One row, the same for all.
using (true);

comment on policy read_the_clock on app.clock_offset is 'The worker reads the one row.';

-- source: db/policies/feedback.sql
-- app.feedback: a member reads what they said themselves; giving it goes through the function.

grant select on app.feedback to authenticated, service_role;

create policy own_feedback on app.feedback
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select app.my_id()));

comment on policy own_feedback on app.feedback is 'A member reads what they said themselves.';

-- source: db/policies/feedback_about.sql
-- app.feedback_about: a member reads what they said themselves, and never what was said about them.

grant select on app.feedback_about to authenticated, service_role;

create policy own_words on app.feedback_about
for select
to authenticated
-- The member's own, by the index on user_id.
using (user_id = (select app.my_id()));

comment on policy own_words on app.feedback_about is 'A member reads what they said themselves, never what was said about them.';

-- source: db/policies/meeting_spots.sql
-- app.meeting_spots: requests read it through the functions only.

grant select on app.meeting_spots to service_role;

-- source: db/policies/meetings.sql
-- app.meetings: what matching avoids; no member reads it.

grant select on app.meetings to service_role;

-- source: db/policies/reports.sql
-- app.reports: operators read it through api.reports(); no member reads a row, not even their own.

grant select on app.reports to service_role;

-- source: db/policies/time_slots.sql
-- app.time_slots: what is public of it comes from api.time_slots(); requests read it through the functions only.

grant select on app.time_slots to service_role;

-- source: db/policies/user_campuses.sql
-- app.user_campuses: the directory; requests read it through the functions only.

grant select on app.user_campuses to service_role;

-- source: db/policies/users.sql
-- app.users: a member reads the names of their circle-mates and their own; nothing else of a row is granted, least of all
-- the address, so no policy can leak it. my_profile() tells a member the rest about themselves.

grant select (campus_id, user_id, display_name) on app.users to authenticated;
grant select on app.users to service_role;

create policy own_row on app.users
for select
to authenticated
using (user_id = (select app.my_id()));

comment on policy own_row on app.users is 'A member reads their own row.';

create policy circle_mates on app.users
for select
to authenticated
-- One array for the whole query, so that the index on user_id finds the rows.
using (user_id = any((select app.my_mates())::uuid[]));

comment on policy circle_mates on app.users is 'A member reads those with whom they are or were in a circle.';

create policy open_account on app.users
as restrictive
for select
to authenticated
-- Who has deleted the account sees nothing, whatever token is left; evaluated once for a query.
using ((select app.my_id()) is not null);

comment on policy open_account on app.users is 'Who has deleted the account reads nothing, whatever token is left.';

-- source: db/policies/waitlist_entries.sql
-- app.waitlist_entries: a member reads their own entries; joining and leaving go through the functions.

grant select on app.waitlist_entries to authenticated, service_role;

create policy own_entries on app.waitlist_entries
for select
to authenticated
-- The member's own, by the index on user_id; the sub-select is evaluated once for a query, not for each row.
using (user_id = (select app.my_id()));

comment on policy own_entries on app.waitlist_entries is 'A member reads their own entries.';

commit;
