-- identity.take_mails(p_limit, p_now): the mails that are due, each for one minute in the hands of who took it.
--
-- Whoever dies with a mail in hand loses nothing: after the minute another takes it. (A mail may so go out
-- twice, never not at all.) What is of no use any more is forgotten here.
--
-- Login codes first: somebody waits for each.
--
-- What a mail says about a circle is looked up now: a circle that has changed since is told as it is. Nothing is sent to who
-- wants no such mail any more. The mails of a whole slot are put into the queue now, for the next call: the matching, for
-- which everybody waits, writes one row.
--
-- A login code is made now, and stands nowhere but in the answer: the table keeps its hash, and its ten minutes begin.
-- A code that was sent before and not used stops counting.
--
-- The circuit breaker: while the server is left alone, none; after that one, to try it, however many ask.
--
-- Definer: the worker holds no right on the tables.

create or replace function identity.take_mails(p_limit integer, p_now timestamptz default clock_timestamp())
returns table (mail_id bigint, attempt integer, kind text, recipient text, facts jsonb)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_lease    constant interval := interval '1 minute';
  v_server   identity.mail_server := (select mail_server from identity.mail_server);
  v_settings identity.settings := (select settings from identity.settings);
  v_mail     identity.mails;
  v_code     text;
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;
  if v_server.open_until > p_now then
    return;
  end if;

  for v_mail in
    select *
    from identity.mails
    where mails.next_try_at <= p_now
    order by mails.kind <> 'login_code', mails.next_try_at, mails.mail_id
    limit case when v_server.open_until is null then p_limit else 1 end
    for update skip locked
  loop
    if v_mail.expires_at <= p_now then
      delete from identity.mails where mails.mail_id = v_mail.mail_id;
      perform audit.record('mail.expired', v_mail.facts ->> 'campusId');
      continue;
    end if;

    if v_server.open_until is not null then
      update identity.mail_server
      set trial_until = p_now + v_lease
      where coalesce(mail_server.trial_until, '-infinity') <= p_now;

      if not found then
        return;  -- another tries it now
      end if;
    end if;

    update identity.mails
    set attempts = attempts + 1,
      next_try_at = p_now + v_lease
    where mails.mail_id = v_mail.mail_id;

    if v_mail.kind = 'login_code' then
      -- 32 of the 122 random bits; that a million does not divide 2^32 makes no code likelier by more than 1 in 4,000.
      v_code := lpad((('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint % 1000000)::text, 6, '0');

      update identity.login_codes
      set code_hash = identity.secret_hash('code:' || v_mail.recipient || ':' || v_code),
        code_expires_at = p_now + v_settings.code_life,
        tries_left = v_settings.code_tries,
        used_at = null,
        session_id = null
      where login_codes.email = v_mail.recipient;

      v_mail.facts := v_mail.facts || jsonb_build_object(
        'code', v_code, 'livesMinutes', ceil(extract(epoch from v_settings.code_life) / 60)::integer
      );
    elsif v_mail.kind = 'circles' then
      delete from identity.mails where mails.mail_id = v_mail.mail_id;
      perform app.mail_slot(v_mail.facts ->> 'campusId', (v_mail.facts ->> 'timeSlot')::timestamptz);
      continue;
    elsif v_mail.kind = 'circle' then
      v_mail.facts := app.circle_mail(
        v_mail.facts ->> 'campusId', (v_mail.facts ->> 'userId')::uuid, (v_mail.facts ->> 'timeSlot')::timestamptz
      );
      if v_mail.facts is null then
        delete from identity.mails where mails.mail_id = v_mail.mail_id;
        continue;
      end if;
    end if;

    return query values (v_mail.mail_id, v_mail.attempts + 1, v_mail.kind, v_mail.recipient, v_mail.facts);
  end loop;
end;
$function$;

comment on function identity.take_mails(integer, timestamptz) is
'Mails that are due, for one minute in the caller''s hands: then say mail_sent or mail_failed. Refuses limit_invalid.';

revoke all on function identity.take_mails(integer, timestamptz) from public;
grant execute on function identity.take_mails(integer, timestamptz) to circle27_worker;
