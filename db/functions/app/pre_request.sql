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
