-- Deploy circle27:meetings to pg

begin;

set local role circle27_owner;

-- One row for each pair, the smaller id first: what the matching avoids.
--
-- No foreign key: rows are counted from places, whose list refers to the member, and members stay. To look up two of them for
-- each row took a fifth of a matching.
create table app.meetings (
  campus_id      text not null,
  user_a         uuid not null,
  user_b         uuid not null,
  meetings_count integer not null,
  last_met_at    timestamptz not null,
  constraint meetings_pkey primary key (campus_id, user_a, user_b),
  constraint meetings_ordered check (user_a < user_b),
  constraint meetings_count_positive check (meetings_count > 0)
);
comment on table app.meetings is 'Who has met whom: the pairs of all circles whose slot was not cancelled.';
comment on column app.meetings.campus_id is 'The campus of both.';
comment on column app.meetings.user_a is 'The one with the smaller id.';
comment on column app.meetings.user_b is 'The other.';
comment on column app.meetings.meetings_count is 'In how many circles they were together.';
comment on column app.meetings.last_met_at is 'The last slot in which they were.';
create index meetings_user_b_idx on app.meetings (campus_id, user_b);
comment on index app.meetings_user_b_idx is 'The other half of one member''s pairs.';
create index meetings_repeats_idx on app.meetings (campus_id, last_met_at) where meetings_count > 1;
comment on index app.meetings_repeats_idx is 'Who met somebody again of late: the matching deals repeats to others.';
alter table app.meetings enable row level security;

commit;
