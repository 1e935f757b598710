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
