-- Deploy circle27:events to pg

begin;

set local role circle27_owner;

create sequence events.outbox_id_seq as bigint;
comment on sequence events.outbox_id_seq is 'Order of the outbox. Not a cursor: readers take rows away, so none is skipped.';

-- A queue: app.emit() puts in, events.take() takes out. No row stays, so it is never partitioned.
create table events.outbox (
  id         bigint not null default nextval('events.outbox_id_seq'),
  campus_id  text not null,
  channel    text not null,
  event      text not null,
  payload    jsonb not null,
  emitted_at timestamptz not null default clock_timestamp(),
  constraint outbox_pkey primary key (id, campus_id),
  -- It becomes a part of a URL and of a comma-separated list. What the gateway would refuse must not get in: one row
  -- that can't be published would hold up all behind it.
  constraint outbox_channel_form check (
    channel ~ '^(user|session):[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
    or channel ~ '^campus:[a-z0-9][a-z0-9-]{0,62}$'
  ),
  -- It becomes a header.
  constraint outbox_event_form check (event ~ '^[a-z_]{1,32}$'),
  constraint outbox_payload_object check (jsonb_typeof(payload) = 'object'),
  -- As it is sent, in bytes.
  constraint outbox_payload_small check (octet_length(payload #>> '{}') <= 16384)
)
-- It empties as fast as it fills: vacuum by count, not by share of a size that is always small.
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table events.outbox is 'Events written in the transaction that caused them, waiting to be told at least once.';
comment on column events.outbox.id is 'Order of writing.';
comment on column events.outbox.campus_id is 'The campus that it happened on.';
comment on column events.outbox.channel is 'Whom to tell: user:<user_id>, campus:<campus_id> or session:<session_id>.';
comment on column events.outbox.event is 'What kind: slot, button, circle, profile, block, clock.';
comment on column events.outbox.payload is 'The message itself: nothing has to be fetched to understand it.';
comment on column events.outbox.emitted_at is 'When it was written (real time).';
alter sequence events.outbox_id_seq owned by events.outbox.id;
alter table events.outbox enable row level security;

commit;
