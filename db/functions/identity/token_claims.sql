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
