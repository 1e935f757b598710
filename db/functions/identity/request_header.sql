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
