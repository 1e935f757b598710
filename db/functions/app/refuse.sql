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
