-- Verify circle27:release_0_1_0 on pg
-- Generated from db/functions and db/policies by `circle27 db snapshot`: edit those, not this file.

begin;

select 'api.get_button_state(uuid, timestamptz, timestamptz)'::regprocedure;
select 'api.get_button_states(date)'::regprocedure;
select 'api.open_stream()'::regprocedure;
select 'api.set_clock_offset(interval)'::regprocedure;
select 'api.time_slots(text, date)'::regprocedure;
select 'app.add_campus(text, text, text, text[], time[])'::regprocedure;
select 'app.api_version()'::regprocedure;
select 'api.ready()'::regprocedure;
select 'app.clock()'::regprocedure;
select 'app.current_campus_id()'::regprocedure;
select 'app.current_member()'::regprocedure;
select 'app.emit(text, text, text, jsonb)'::regprocedure;
select 'app.error_registry()'::regprocedure;
select 'app.hour_text(timestamp)'::regprocedure;
select 'app.button_state(timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean)'::regprocedure;
select 'app.is_service()'::regprocedure;
select 'app.local_instant(text, timestamp)'::regprocedure;
select 'app.day_start(text, date)'::regprocedure;
select 'app.member_facts(uuid)'::regprocedure;
select 'app.member_time_zone(uuid)'::regprocedure;
select 'app.next_version()'::regprocedure;
select 'app.open_time_slots(timestamptz)'::regprocedure;
select 'app.pre_request()'::regprocedure;
select 'app.refuse(text)'::regprocedure;
select 'app.register_user(text, text)'::regprocedure;
select 'app.set_clock_offset(interval)'::regprocedure;
select 'app.slot_instants(text, date, time[])'::regprocedure;
select 'app.open_campus_slots(text, timestamptz)'::regprocedure;
select 'app.slot_status(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz)'::regprocedure;
select 'app.slot_state(timestamptz, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean, boolean, bigint)'::regprocedure;
select 'app.button(text, uuid, timestamptz, timestamptz)'::regprocedure;
select 'app.day_states(text, uuid, text, date, timestamptz)'::regprocedure;
select 'audit.record(text, text, uuid, timestamptz, jsonb)'::regprocedure;
select 'events.take(integer)'::regprocedure;
select 'identity.token_claims(uuid, interval)'::regprocedure;
select 1 / count(*) from pg_catalog.pg_policy where polname = 'own_places' and polrelid = 'app.circle_members'::regclass;
select 1 / count(*) from pg_catalog.pg_policy where polname = 'circles_of_mine' and polrelid = 'app.circles'::regclass;
select 1 / count(*) from pg_catalog.pg_policy where polname = 'read_the_clock' and polrelid = 'app.clock_offset'::regclass;
select 1 / count(*) from pg_catalog.pg_policy where polname = 'own_feedback' and polrelid = 'app.feedback'::regclass;
select 1 / count(*) from pg_catalog.pg_policy where polname = 'own_row' and polrelid = 'app.users'::regclass;
select 1 / count(*) from pg_catalog.pg_policy where polname = 'own_entries' and polrelid = 'app.waitlist_entries'::regclass;

rollback;
