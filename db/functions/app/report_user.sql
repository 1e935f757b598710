-- app.report_user(p_campus_id, p_user_id, p_time_slot, p_reported_id, p_reason, p_comment): tell the operators about a mate.
--
-- Repeatable: the same words again give the same answer; other words are refused. The reported hears nothing of it.
-- It is kept when either of the two deletes the account: the other members need it.

create or replace function app.report_user(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_reported_id uuid,
  p_reason text,
  p_comment text
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_comment text := nullif(btrim(p_comment), '');
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_reason is null or p_reason not in ('harassment', 'no_show', 'fake', 'other') or length(v_comment) > 2000 then
    perform app.refuse('report_invalid');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted

  -- One who gave up the place before the meeting can still be told about: perhaps that is why they went. Who gave it up can
  -- tell about those who were there then; of who came afterwards not even that they did is theirs to find out.
  if not exists (
    select
    from app.circle_members as own
    inner join app.circle_members as mates
      on mates.campus_id = p_campus_id
      and mates.time_slot = p_time_slot
      and mates.user_id = p_reported_id
      and mates.circle_no = own.circle_no
      and coalesce(own.cancelled_at > mates.moved_at, true)
    where own.campus_id = p_campus_id
      and own.time_slot = p_time_slot
      and own.user_id = p_user_id
      and p_reported_id <> p_user_id
  ) then
    perform app.refuse('not_a_mate');
  end if;

  insert into app.reports (campus_id, time_slot, user_id, reported_id, reason, comment, created_at)
  values (p_campus_id, p_time_slot, p_user_id, p_reported_id, p_reason, v_comment, app.clock())
  on conflict on constraint reports_pkey do nothing;

  if found then
    perform audit.record(
      'user.reported', p_campus_id, p_user_id, p_time_slot,
      jsonb_build_object('reportedId', p_reported_id, 'reason', p_reason)
    );
  elsif not exists (
    select
    from app.reports
    where reports.campus_id = p_campus_id
      and reports.time_slot = p_time_slot
      and reports.user_id = p_user_id
      and reports.reported_id = p_reported_id
      and reports.reason = p_reason
      and reports.comment is not distinct from v_comment
  ) then
    perform app.refuse('report_given');
  end if;

  return jsonb_build_object('userId', p_reported_id, 'timeSlot', p_time_slot, 'reported', true);
end;
$function$;

comment on function app.report_user(text, uuid, timestamptz, uuid, text, text) is
'Tell the operators about a circle-mate: {userId, timeSlot, reported}. Refuses no_campus, account_deleted, report_invalid, not_a_mate, report_given.';

revoke all on function app.report_user(text, uuid, timestamptz, uuid, text, text) from public;
