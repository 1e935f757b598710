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
