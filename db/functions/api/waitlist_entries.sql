-- api.waitlist_entries: who is on which list, as far as the caller may see: a member their own entries.
--
-- What supabase-js reads and writes as a table. Insert and delete are joining and leaving: the triggers call the same
-- functions as the RPCs, so there is one way in. Who has left is on no list, so has no row here. An update has no
-- meaning, and says so.
--
-- security_invoker: row level security of app.waitlist_entries decides, as the caller.
--
-- requires: app.write_waitlist_entry

create or replace view api.waitlist_entries
with (security_invoker = true)
as
select
  entries.campus_id,
  entries.time_slot,
  entries.user_id,
  entries.joined_at,
  entries.version
from app.waitlist_entries as entries
where entries.left_at is null;

comment on view api.waitlist_entries is
'The lists that the caller is on.

Insert {time_slot} to join, delete to leave.';
comment on column api.waitlist_entries.campus_id is 'The campus of slot and member.';
comment on column api.waitlist_entries.time_slot is 'The slot.';
comment on column api.waitlist_entries.user_id is 'The member; without it, the caller.';
comment on column api.waitlist_entries.joined_at is 'When the member joined (app clock).';
comment on column api.waitlist_entries.version is 'Version of the last change to what this member''s button says.';

create or replace trigger waitlist_entries_write
instead of insert or update or delete on api.waitlist_entries
for each row
execute function app.write_waitlist_entry();

comment on trigger waitlist_entries_write on api.waitlist_entries is
'Joining and leaving go through app.join_waitlist() and app.leave_waitlist().';

grant select on api.waitlist_entries to authenticated, service_role;
grant insert (time_slot, user_id), update (time_slot, user_id), delete
on api.waitlist_entries to authenticated, service_role;
