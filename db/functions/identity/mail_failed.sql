-- identity.mail_failed(p_mail_id, p_attempt, p_refused, p_error, p_now, p_by_server): the attempt failed.
--
-- p_refused: the server took the time to say that it will never take this mail (no such mailbox). The mail is forgotten,
-- and nothing is wrong with the server.
-- Otherwise the mail rests 2 s, 4 s, 8 s ... 5 min, and the failure counts for the breaker: five in a row, and the server is
-- left alone for 10 s, 20 s ... 5 min.
-- p_by_server false: the server is well, and refused this recipient for now (a full mailbox, greylisting). The mail rests, and that
-- counts for nothing: else five such addresses, which anybody may name, would keep everybody's mail.
-- p_error null: it was not even tried, as the server failed the mail before it. Counts for nothing, and is due at once.
-- What was in hand when that began fails with the rest, and counts no more: ten mails
-- that meet one short outage are no reason to leave it alone for minutes.
--
-- Definer: the worker holds no right on the tables.

create or replace function identity.mail_failed(
  p_mail_id bigint,
  p_attempt integer,
  p_refused boolean,
  p_error text,
  p_now timestamptz default clock_timestamp(),
  p_by_server boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_longest constant integer := 300;
  v_patience constant integer := 5;
begin
  if p_refused then
    delete from identity.mails
    where mails.mail_id = p_mail_id
      and mails.attempts = p_attempt;

    if found then
      perform audit.record('mail.refused', null, null, null, jsonb_build_object('mailId', p_mail_id));

      -- If it was the trial, it told nothing: another mail may be one at once.
      update identity.mail_server
      set trial_until = null
      where mail_server.trial_until is not null;
    end if;
    return;
  end if;

  if p_error is null then
    update identity.mails
    set next_try_at = p_now
    where mails.mail_id = p_mail_id
      and mails.attempts = p_attempt;
    return;
  end if;

  update identity.mails
  set next_try_at = p_now + make_interval(secs => least(v_longest, 2.0 ^ least(p_attempt, 20)))
  where mails.mail_id = p_mail_id
    and mails.attempts = p_attempt;

  if not p_by_server then
    return;
  end if;

  update identity.mail_server
  set failures = failures + 1,
    failed_at = p_now,
    error = left(p_error, 200),
    trial_until = null,
    open_until = case
      when failures + 1 >= v_patience
        then p_now + make_interval(secs => least(v_longest, 10 * 2.0 ^ least(failures + 1 - v_patience, 20)))
    end
  where mail_server.open_until is null
    or mail_server.open_until <= p_now;
end;
$function$;

comment on function identity.mail_failed(bigint, integer, boolean, text, timestamptz, boolean) is
'This attempt failed: for ever (p_refused), or to be tried again, which tells of the server if p_by_server; p_error null: it was not tried. Keeps the first 200 characters of p_error.';

revoke all on function identity.mail_failed(bigint, integer, boolean, text, timestamptz, boolean) from public;
grant execute on function identity.mail_failed(bigint, integer, boolean, text, timestamptz, boolean) to circle27_worker;
