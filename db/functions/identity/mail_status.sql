-- identity.mail_status(p_now): how the mail goes: for `circle27 status` and for monitoring.
--
-- Definer: the monitor holds no right on the tables, and learns no address here.

create or replace function identity.mail_status(p_now timestamptz default clock_timestamp())
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return (
    select jsonb_build_object(
      'breaker', case when server.open_until is null then 'closed' when server.open_until > p_now then 'open' else 'trying' end,
      'openUntil', server.open_until,
      'failures', server.failures,
      'failedAt', server.failed_at,
      'error', server.error,
      'waiting', (select count(*) from identity.mails),
      'oldestAt', (select min(mails.created_at) from identity.mails)
    )
    from identity.mail_server as server
  );
end;
$function$;

comment on function identity.mail_status(timestamptz) is
'How the mail goes: {breaker: closed, open or trying, openUntil, failures, failedAt, error, waiting, oldestAt}.';

revoke all on function identity.mail_status(timestamptz) from public;
grant execute on function identity.mail_status(timestamptz) to circle27_monitor;
