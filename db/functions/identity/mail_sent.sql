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
