-- app.own_circle_no(p_campus_id, p_user_id, p_slot, p_now): the number of the member's circle, or why there is none.
--
-- The one place that tells the reasons apart: not matched yet, on the list but no circle could be formed, not on the list
-- or the place was given up.
--
-- requires: app.slot_status

create or replace function app.own_circle_no(p_campus_id text, p_user_id uuid, p_slot app.time_slots, p_now timestamptz)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_circle_no integer := (
    select members.circle_no
    from app.circle_members as members
    where members.campus_id = p_campus_id
      and members.time_slot = p_slot.time_slot
      and members.user_id = p_user_id
      and members.cancelled_at is null
  );
begin
  if v_circle_no is not null then
    return v_circle_no;
  end if;
  if app.slot_status(p_now, p_slot.deadline_at, p_slot.ends_at, p_slot.matched_at, p_slot.cancelled_at)
    in ('open', 'matching') then
    perform app.refuse('not_matched_yet');
  end if;
  if exists (
    select
    from app.waitlist_entries as entries
    where entries.campus_id = p_campus_id
      and entries.time_slot = p_slot.time_slot
      and entries.user_id = p_user_id
      and entries.left_at is null
  ) and not exists (
    select
    from app.circle_members as members
    where members.campus_id = p_campus_id
      and members.time_slot = p_slot.time_slot
      and members.user_id = p_user_id
  ) then
    perform app.refuse('no_circle_formed');
  end if;

  perform app.refuse('no_circle');
  return null;
end;
$function$;

comment on function app.own_circle_no(text, uuid, app.time_slots, timestamptz) is
'The number of the member''s circle. Refuses not_matched_yet, no_circle_formed, no_circle.';

revoke all on function app.own_circle_no(text, uuid, app.time_slots, timestamptz) from public;
