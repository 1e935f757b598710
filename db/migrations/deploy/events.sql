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
  -- that can't be published would hold up all behind it. (Lengths by themselves: counted in the expression they cost five
  -- times as much, for each member of a matching twice.)
  constraint outbox_channel_form check (
    channel ~ '^(user|session):[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+$'
    and octet_length(channel) = position(':' in channel) + 36
    or channel ~ '^campus:[a-z0-9][a-z0-9-]{0,62}$'
  ),
  -- It becomes a header.
  constraint outbox_event_form check (event ~ '^[a-z_]+$' and octet_length(event) <= 32),
  constraint outbox_payload_object check (jsonb_typeof(payload) = 'object'),
  -- As it is sent, in bytes.
  constraint outbox_payload_small check (octet_length(payload #>> '{}') <= 16384)
)
-- It empties as fast as it fills: vacuum by count, not by share of a size that is always small, and without a rest. How
-- often it is looked at is the server's autovacuum_naptime (decision 18).
with (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_threshold = -1,
  autovacuum_vacuum_cost_delay = 0
);
comment on table events.outbox is 'Events written in the transaction that caused them, waiting to be told at least once.';
comment on column events.outbox.id is 'Order of writing.';
comment on column events.outbox.campus_id is 'The campus that it happened on.';
comment on column events.outbox.channel is 'Whom to tell: user:<user_id>, campus:<campus_id> or session:<session_id>.';
comment on column events.outbox.event is 'What kind: slot, button, circle, profile, block, presence, clock, session.';
comment on column events.outbox.payload is 'The message itself: nothing has to be fetched to understand it.';
comment on column events.outbox.emitted_at is 'When it was written (real time).';
alter sequence events.outbox_id_seq owned by events.outbox.id;
alter table events.outbox enable row level security;

-- Who holds a stream: api.open_stream() puts in, the gateway's log of ended streams takes out.
create table events.streams (
  campus_id  text not null,
  stream_id  text not null,
  user_id    uuid not null,
  session_id uuid not null,
  gateway    text not null,
  process_id integer not null,
  opened_at  timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  constraint streams_pkey primary key (stream_id, campus_id),
  constraint streams_stream_id_form check (stream_id ~ '^[0-9a-f]{32}$')
)
-- Rows live for an hour at most, and come and go in storms.
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index streams_user_idx on events.streams (campus_id, user_id);
create index streams_expires_at_idx on events.streams (expires_at);
comment on index events.streams_user_idx is 'Whether a member is online.';
comment on index events.streams_expires_at_idx is 'Which streams have outlived their token.';
comment on table events.streams is 'Streams that a gateway holds: a member with one is online.';
comment on column events.streams.campus_id is 'The member''s campus.';
comment on column events.streams.stream_id is 'The gateway''s id of the request (X-Request-Id).';
comment on column events.streams.user_id is 'Who listens.';
comment on column events.streams.session_id is 'In which session.';
comment on column events.streams.gateway is 'Which gateway holds it: a host''s name.';
comment on column events.streams.process_id is 'Which of its processes: with that it ends.';
comment on column events.streams.opened_at is 'Since when (real time).';
comment on column events.streams.expires_at is 'When its token ends, and it with it.';
alter table events.streams enable row level security;

create table events.gateways (
  gateway    text not null,
  renewed_at timestamptz not null,
  constraint gateways_pkey primary key (gateway)
);
comment on table events.gateways is 'Gateways that are alive: each renews its row; the streams of one that does not count no more.';
comment on column events.gateways.gateway is 'A host''s name.';
comment on column events.gateways.renewed_at is 'When it was last known to be alive (real time).';
alter table events.gateways enable row level security;

commit;
