-- app.suspend_user(p_campus_id, p_user_id, p_until, p_reason): let a member join nothing until then; null lifts it.
--
-- They leave what they are on and keep the rest: their past, their profile, their blocks. Repeatable. Real time: a
-- suspension is no part of the day that app.clock() tells. The member reads the reason in their trail. Who has deleted the
-- account can be suspended, too: they may come back.

create or replace function app.suspend_user(p_campus_id text, p_user_id uuid, p_until timestamptz, p_reason text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_reason text := btrim(p_reason);
  v_until  timestamptz;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_until <= clock_timestamp() or v_reason is null or length(v_reason) not between 1 and 500 then
    perform app.refuse('suspension_invalid');
  end if;

  perform pg_advisory_xact_lock(app.lock_key('member', p_user_id::text));

  select directory.suspended_until
  into v_until
  from app.user_campuses as directory
  where directory.user_id = p_user_id
    and directory.campus_id = p_campus_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;

  if v_until is distinct from p_until then
    if p_until is not null then
      perform app.leave_ahead(p_campus_id, p_user_id);
    end if;

    update app.user_campuses as directory
    set suspended_until = p_until
    where directory.user_id = p_user_id;

    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'profile', app.profile(p_campus_id, p_user_id) - 'blocked'
    );
    perform audit.record(
      case when p_until is null then 'user.readmitted' else 'user.suspended' end,
      p_campus_id, p_user_id, null, jsonb_build_object('until', p_until, 'reason', v_reason)
    );
  end if;

  return jsonb_build_object('userId', p_user_id, 'suspendedUntil', p_until);
end;
$function$;

comment on function app.suspend_user(text, uuid, timestamptz, text) is
'Let a member join nothing until then (real time; null lifts it): {userId, suspendedUntil}. Refuses no_campus, suspension_invalid, member_not_found.';

revoke all on function app.suspend_user(text, uuid, timestamptz, text) from public;
