-- Deploy circle27:time_slots to pg

begin;

set local role circle27_owner;

-- A slot's life. The clock moves it; only matching and cancelling are written down.
--
--             deadline_at               matched_at set                 ends_at
--   [open] ----------------> [matching] --------------> [matched] ----------------> [ended]
--      |                          |                         |
--      +--------------------------+-------------------------+--- cancelled_at set --> [cancelled]
--
-- No way leads back: a matched slot never reopens, whatever the clock says.
create table app.time_slots (
  campus_id    text not null,
  time_slot    timestamptz not null,
  deadline_at  timestamptz not null,
  ends_at      timestamptz not null,
  matched_at   timestamptz,
  cancelled_at timestamptz,
  version      bigint not null,
  match_seed   bigint,
  match_report jsonb,
  match_inputs jsonb,
  constraint time_slots_pkey primary key (campus_id, time_slot),
  constraint time_slots_campus_id_fkey foreign key (campus_id) references app.campuses (campus_id) on delete cascade,
  constraint time_slots_times_ascend check (
    deadline_at < time_slot and time_slot < ends_at and isfinite(deadline_at) and isfinite(ends_at)
  ),
  constraint time_slots_matched_after_deadline check (matched_at >= deadline_at),
  constraint time_slots_report_of_a_match check (match_report is null or matched_at is not null),
  constraint time_slots_inputs_of_a_match check (match_inputs is null or matched_at is not null)
);
comment on table app.time_slots is 'The meetings on offer: one row for each campus and instant.';
comment on column app.time_slots.campus_id is 'The campus that offers it.';
comment on column app.time_slots.time_slot is 'When the circles meet; with the campus the name of the slot.';
comment on column app.time_slots.deadline_at is 'When the waitlist closes and circles are formed.';
comment on column app.time_slots.ends_at is 'When the meeting ends and feedback opens.';
comment on column app.time_slots.matched_at is 'When circles were formed (app clock); null before.';
comment on column app.time_slots.cancelled_at is 'When the slot was called off (app clock); null if it was not.';
comment on column app.time_slots.version is 'Version of the last change to the slot itself.';
comment on column app.time_slots.match_seed is 'What the matching drew from: the same seed gives the same circles.';
comment on column app.time_slots.match_report is 'What the matching did, in numbers.';
comment on column app.time_slots.match_inputs is 'What the matching knew and nothing else keeps: the campus''s rules and the walls, as pairs of places in the drawn order.';
create index time_slots_due_idx on app.time_slots (deadline_at, campus_id)
where matched_at is null and cancelled_at is null;
comment on index app.time_slots_due_idx is 'Deadlines that passed unmatched, and the next one to come.';
alter table app.time_slots enable row level security;

-- An entry's life: joining and leaving alternate until the deadline; the row stays.
--
--   (none) --join--> [on the list: left_at null] --leave--> [left: left_at set] --join--> [on the list] ...
--
-- No foreign key to the slot: at the last minute each join would lock the one hot row (measured: a third
-- of the throughput). The join function checks the slot under its lock, and slots are never deleted while open.
create table app.waitlist_entries (
  campus_id text not null,
  time_slot timestamptz not null,
  user_id   uuid not null,
  joined_at timestamptz not null,
  left_at   timestamptz,
  version   bigint not null,
  left_out  boolean not null default false,
  constraint waitlist_entries_pkey primary key (campus_id, time_slot, user_id),
  constraint waitlist_entries_user_fkey foreign key (campus_id, user_id)
  references app.users (campus_id, user_id) on delete cascade,
  constraint waitlist_entries_left_after_joined check (left_at >= joined_at)
);
comment on table app.waitlist_entries is 'Who wants to meet when. Leaving keeps the row.';
comment on column app.waitlist_entries.campus_id is 'The campus of slot and member.';
comment on column app.waitlist_entries.time_slot is 'The slot.';
comment on column app.waitlist_entries.user_id is 'The member.';
comment on column app.waitlist_entries.joined_at is 'When the member joined last (app clock).';
comment on column app.waitlist_entries.left_at is 'When the member left (app clock); null while on the list.';
comment on column app.waitlist_entries.version is 'Version of the last change to what this member''s button says.';
comment on column app.waitlist_entries.left_out is 'Whether the matching had no place for this member.';
create index waitlist_entries_left_out_idx on app.waitlist_entries (campus_id, user_id, time_slot) where left_out;
comment on index app.waitlist_entries_left_out_idx is 'Who was left out of late: the matching places them first.';
create index waitlist_entries_user_id_idx on app.waitlist_entries (user_id, campus_id, time_slot);
comment on index app.waitlist_entries_user_id_idx is 'One member''s entries: the policy, the export and the foreign key.';
alter table app.waitlist_entries enable row level security;

create table app.circles (
  campus_id  text not null,
  time_slot  timestamptz not null,
  circle_no  integer not null,
  spot_id    text,
  ends_at    timestamptz not null,
  called_off boolean not null default false,
  constraint circles_pkey primary key (campus_id, time_slot, circle_no),
  constraint circles_time_slot_fkey foreign key (campus_id, time_slot)
  references app.time_slots (campus_id, time_slot) on delete cascade,
  constraint circles_spot_fkey foreign key (campus_id, spot_id) references app.meeting_spots (campus_id, spot_id),
  -- Nor in two slots that have a minute in common, unless one was called off.
  constraint circles_spot_free exclude using gist (
    campus_id with =, spot_id with =, tstzrange(time_slot, ends_at) with &&
  ) where (spot_id is not null and not called_off),
  constraint circles_circle_no_positive check (circle_no > 0),
  constraint circles_ends_after_start check (ends_at > time_slot)
);
-- No spot is booked twice in one slot. An index of those with a spot only: otherwise it would be taken for looking up a circle
-- wherever statistics say that there are none (as after a matching that was rolled back), and each look, each check of a key
-- among them, would read the whole slot: minutes for 50,000 people.
create unique index circles_spot_key on app.circles (spot_id, campus_id, time_slot) where spot_id is not null;
comment on index app.circles_spot_key is 'No spot is booked twice in one slot; and the foreign key.';
comment on table app.circles is 'The groups that one matching formed.';
comment on column app.circles.campus_id is 'The campus.';
comment on column app.circles.time_slot is 'The slot in which the circle meets.';
comment on column app.circles.circle_no is 'Number within the slot, from 1.';
comment on column app.circles.spot_id is 'Where it meets; null where the campus had no free spot.';
comment on column app.circles.ends_at is 'Until when it meets: the slot''s end, and until then it has its spot.';
comment on column app.circles.called_off is 'Whether the slot was called off afterwards: the spot is free again.';
alter table app.circles enable row level security;

-- A place's life: (none) --matching--> [in the circle] --cancelled_at set--> [given up]
--                                          |    ^
--                                          +----+ moved, as too few were left: circle_no another, moved_from the first
-- The key holds no circle number: nobody can be in two circles of one slot.
create table app.circle_members (
  campus_id     text not null,
  time_slot     timestamptz not null,
  user_id       uuid not null,
  circle_no     integer not null,
  moved_from    integer,
  moved_at      timestamptz,
  cancelled_at  timestamptz,
  attended      boolean,
  changes_count integer not null default 0,
  constraint circle_members_pkey primary key (campus_id, time_slot, user_id),
  -- PostgREST embeds places in circles by it, too.
  constraint circle_members_circle_fkey foreign key (campus_id, time_slot, circle_no)
  references app.circles (campus_id, time_slot, circle_no) on delete cascade,
  -- Only who is on the list gets a place; the entry refers to the member.
  constraint circle_members_entry_fkey foreign key (campus_id, time_slot, user_id)
  references app.waitlist_entries (campus_id, time_slot, user_id) on delete cascade,
  constraint circle_members_moved_elsewhere check (moved_from <> circle_no and moved_from > 0),
  constraint circle_members_moved_at_a_time check ((moved_from is null) = (moved_at is null)),
  constraint circle_members_changes_count_sane check (changes_count >= 0)
);
comment on table app.circle_members is 'Who meets whom: at most one circle for each member and slot.';
comment on column app.circle_members.campus_id is 'The campus of circle and member.';
comment on column app.circle_members.time_slot is 'The slot.';
comment on column app.circle_members.user_id is 'The member.';
comment on column app.circle_members.circle_no is 'The member''s circle.';
comment on column app.circle_members.moved_from is 'The circle that the matching had formed, if a merger moved the member on; null if it is the same.';
comment on column app.circle_members.moved_at is 'When the member was moved, the last time (app clock); null if they were not.';
comment on column app.circle_members.cancelled_at is 'When the place was given up (app clock); such a member is in no circle.';
comment on column app.circle_members.attended is 'Whether the member came; null while unknown.';
comment on column app.circle_members.changes_count is 'How often the circle has changed for this member since the matching; numbers the versions of the calendar''s entry.';
-- Not beginning like the primary key, for the same reason as in app.circles.
create index circle_members_circle_idx on app.circle_members (circle_no, time_slot, campus_id);
comment on index app.circle_members_circle_idx is 'The members of one circle.';
create index circle_members_user_id_idx on app.circle_members (user_id, campus_id, time_slot);
comment on index app.circle_members_user_id_idx is 'One member''s circles: the policies, the export and the foreign key.';
create index circle_members_no_shows_idx on app.circle_members (campus_id, user_id, time_slot) where attended = false;
comment on index app.circle_members_no_shows_idx is 'Who stayed away of late: the matching spreads them.';
alter table app.circle_members enable row level security;

-- Only who was in a circle can have given feedback: the key says so.
create table app.feedback (
  campus_id  text not null,
  time_slot  timestamptz not null,
  user_id    uuid not null,
  rating     smallint not null,
  comment    text,
  created_at timestamptz not null,
  constraint feedback_pkey primary key (campus_id, time_slot, user_id),
  constraint feedback_member_fkey foreign key (campus_id, time_slot, user_id)
  references app.circle_members (campus_id, time_slot, user_id) on delete cascade,
  constraint feedback_rating_range check (rating between 1 and 5),
  constraint feedback_comment_length check (length(comment) <= 2000)
);
comment on table app.feedback is 'What a member said about a meeting, once.';
comment on column app.feedback.campus_id is 'The campus.';
comment on column app.feedback.time_slot is 'The slot.';
comment on column app.feedback.user_id is 'Who gives the feedback.';
comment on column app.feedback.rating is 'From 1 to 5.';
comment on column app.feedback.comment is 'Free words, seen by operators only.';
comment on column app.feedback.created_at is 'When it was given (app clock).';
create index feedback_user_id_idx on app.feedback (user_id, campus_id, time_slot);
comment on index app.feedback_user_id_idx is 'One member''s feedback: the policy and the export.';
create index feedback_low_idx on app.feedback (campus_id, user_id, time_slot) where rating <= 2;
comment on index app.feedback_low_idx is 'Low ratings: the matching keeps those people apart.';
alter table app.feedback enable row level security;

-- A part of the feedback: it is given with it, never alone, and once for each circle-mate.
create table app.feedback_about (
  campus_id  text not null,
  time_slot  timestamptz not null,
  user_id    uuid not null,
  about_id   uuid not null,
  meet_again boolean,
  no_show    boolean not null default false,
  constraint feedback_about_pkey primary key (campus_id, time_slot, user_id, about_id),
  constraint feedback_about_feedback_fkey foreign key (campus_id, time_slot, user_id)
  references app.feedback (campus_id, time_slot, user_id) on delete cascade,
  constraint feedback_about_about_fkey foreign key (campus_id, time_slot, about_id)
  references app.circle_members (campus_id, time_slot, user_id) on delete cascade,
  constraint feedback_about_not_oneself check (about_id <> user_id),
  -- Who did not come was not met: nothing can be said about meeting again.
  constraint feedback_about_no_show_says_no_more check (not no_show or meet_again is null)
);
comment on table app.feedback_about is 'What a member said about each circle-mate.';
comment on column app.feedback_about.campus_id is 'The campus.';
comment on column app.feedback_about.time_slot is 'The slot.';
comment on column app.feedback_about.user_id is 'Who gives the feedback.';
comment on column app.feedback_about.about_id is 'The circle-mate it is about.';
comment on column app.feedback_about.meet_again is 'Whether to meet this person again; null where nothing was said.';
comment on column app.feedback_about.no_show is 'Whether this person did not come.';
create index feedback_about_about_idx on app.feedback_about (campus_id, about_id, time_slot);
comment on index app.feedback_about_about_idx is 'What was said about one member; the foreign key.';
create index feedback_about_user_id_idx on app.feedback_about (user_id, campus_id, time_slot);
comment on index app.feedback_about_user_id_idx is 'What one member said: the policy and the export.';
create index feedback_about_wishes_idx on app.feedback_about (campus_id, user_id, about_id)
where meet_again is not null;
comment on index app.feedback_about_wishes_idx is 'Who wants to meet whom again, or not: the matching asks.';
alter table app.feedback_about enable row level security;

commit;
