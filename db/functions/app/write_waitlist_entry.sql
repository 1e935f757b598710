-- app.write_waitlist_entry(): what an insert into, or a delete from, api.waitlist_entries does.
--
-- A member writes for themselves, a trusted server for anyone: user_id says for whom, and may be left out by a member.
--
-- Each row is counted against the member's limit. The first has been, by app.pre_request(): a setting tells it from the
-- others, as INSTEAD OF triggers know nothing of their statement.
--
-- Definer: no role of a request may write the table.

create or replace function app.write_waitlist_entry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
declare
  v_user_id uuid := case when tg_op = 'INSERT' then new.user_id else old.user_id end;
  v_member  record;
begin
  if tg_op = 'UPDATE' then
    perform app.refuse('entry_fixed');
  end if;

  if app.is_service() then
    -- One call may write for many members, and locks each: two such calls take turns, or would wait for each other.
    perform pg_advisory_xact_lock(app.lock_key('service', 'waitlist_entries'));

    select directory.user_id, directory.campus_id
    into v_member
    from app.user_campuses as directory
    where directory.user_id = v_user_id
      and directory.closed_at is null;

    if not found then
      perform app.refuse('member_not_found');
    end if;
  else
    v_member := app.current_member();  -- refuses not_signed_in, no_campus, account_deleted, wrong_campus
    if v_member.user_id <> v_user_id then
      perform app.refuse('not_yours');
    end if;
    if current_setting('circle27.entry_written', true) = 'yes' then
      perform app.limit_write(v_member.user_id);
    end if;
    perform set_config('circle27.entry_written', 'yes', true);
  end if;

  perform app.use_campus_zone(v_member.campus_id);  -- the member is told, not the server

  if tg_op = 'DELETE' then
    perform app.leave_waitlist(v_member.campus_id, v_member.user_id, old.time_slot);
    return old;
  end if;

  perform app.join_waitlist(v_member.campus_id, v_member.user_id, new.time_slot);

  select entries.campus_id, entries.time_slot, entries.user_id, entries.joined_at, entries.version
  into strict new
  from app.waitlist_entries as entries
  where entries.campus_id = v_member.campus_id
    and entries.time_slot = new.time_slot
    and entries.user_id = v_member.user_id;
  return new;
end;
$function$;

comment on function app.write_waitlist_entry() is
'Trigger of api.waitlist_entries: insert joins, delete leaves. Refuses entry_fixed, not_signed_in, no_campus, account_deleted, wrong_campus, member_not_found, not_yours, slot_not_found, slot_cancelled, deadline_passed, suspended, rate_limited.';

revoke all on function app.write_waitlist_entry() from public;
