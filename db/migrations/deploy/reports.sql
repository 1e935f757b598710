-- Deploy circle27:reports to pg

begin;

set local role circle27_owner;

-- Only who was in a circle with somebody can report them, once for each meeting: the keys say so.
create table app.reports (
  campus_id   text not null,
  time_slot   timestamptz not null,
  user_id     uuid not null,
  reported_id uuid not null,
  reason      text not null,
  comment     text,
  created_at  timestamptz not null,
  constraint reports_pkey primary key (campus_id, time_slot, user_id, reported_id),
  constraint reports_user_fkey foreign key (campus_id, time_slot, user_id)
  references app.circle_members (campus_id, time_slot, user_id) on delete cascade,
  constraint reports_reported_fkey foreign key (campus_id, time_slot, reported_id)
  references app.circle_members (campus_id, time_slot, user_id) on delete cascade,
  constraint reports_not_oneself check (reported_id <> user_id),
  constraint reports_reason_known check (reason in ('harassment', 'no_show', 'fake', 'other')),
  constraint reports_comment_length check (length(comment) <= 2000)
);
comment on table app.reports is 'What members told the operators about a circle-mate. Nobody else reads it, least of all the reported.';
comment on column app.reports.campus_id is 'The campus.';
comment on column app.reports.time_slot is 'The meeting.';
comment on column app.reports.user_id is 'Who reports.';
comment on column app.reports.reported_id is 'Who is reported.';
comment on column app.reports.reason is 'harassment, no_show, fake (not who they say) or other.';
comment on column app.reports.comment is 'In their words.';
comment on column app.reports.created_at is 'When (app clock, as the meeting).';
create index reports_reported_idx on app.reports (campus_id, reported_id, time_slot);
comment on index app.reports_reported_idx is 'What was said about one member.';
create index reports_user_id_idx on app.reports (user_id, campus_id, time_slot);
comment on index app.reports_user_id_idx is 'What one member said.';
alter table app.reports enable row level security;

commit;
