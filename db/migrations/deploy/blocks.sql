-- Deploy circle27:blocks to pg

begin;

set local role circle27_owner;

create table app.blocks (
  campus_id  text not null,
  user_id    uuid not null,
  blocked_id uuid not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint blocks_pkey primary key (campus_id, user_id, blocked_id),
  constraint blocks_user_fkey foreign key (campus_id, user_id)
  references app.users (campus_id, user_id) on delete cascade,
  constraint blocks_blocked_fkey foreign key (campus_id, blocked_id)
  references app.users (campus_id, user_id) on delete cascade,
  constraint blocks_not_oneself check (blocked_id <> user_id)
);
comment on table app.blocks is 'A hard wall in matching, whichever of the two put it up. The other is never told.';
comment on column app.blocks.campus_id is 'The campus of both.';
comment on column app.blocks.user_id is 'Who blocks.';
comment on column app.blocks.blocked_id is 'Who is blocked.';
comment on column app.blocks.created_at is 'Since when (real time).';
create index blocks_blocked_id_idx on app.blocks (campus_id, blocked_id);
comment on index app.blocks_blocked_id_idx is 'Who blocks one member: the foreign key.';
create index blocks_user_id_idx on app.blocks (user_id, campus_id);
comment on index app.blocks_user_id_idx is 'One member''s blocks: the policy.';
alter table app.blocks enable row level security;

commit;
