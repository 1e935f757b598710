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
