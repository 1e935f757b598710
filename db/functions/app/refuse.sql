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
