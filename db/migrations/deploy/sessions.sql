-- Deploy circle27:sessions to pg
--
-- No table here begins with the campus: a token is looked up before anybody knows whose it is. They are small, and
-- stay on one node.

begin;

set local role circle27_auth;

create table identity.keys (
  key_id     text not null,
  purpose    text not null,
  secret     bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint keys_pkey primary key (key_id),
  constraint keys_key_id_form check (key_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  constraint keys_purpose_known check (purpose in ('access', 'refresh')),
  -- RFC 7518, 3.2: a key of HS256 has at least the length of its hash.
  constraint keys_secret_long check (octet_length(secret) >= 32)
);
comment on table identity.keys is 'Secrets. The newest of a purpose is the one in use.';
comment on column identity.keys.key_id is 'The `kid` of the tokens it signs.';
comment on column identity.keys.purpose is 'access: JWTs, shared with PostgREST. refresh: codes and refresh tokens; never leaves this table.';
comment on column identity.keys.secret is 'The key itself, at least 32 bytes.';
comment on column identity.keys.created_at is 'When it was added, or put to use again (real time).';
alter table identity.keys enable row level security;

-- 244 random bits from the server's strong source.
insert into identity.keys (key_id, purpose, secret)
values ('refresh-1', 'refresh', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

create table identity.settings (
  only_row          boolean not null default true,
  access_token_life interval not null default interval '1 hour',
  session_idle_life interval not null default interval '720 hours',
  session_life      interval not null default interval '8760 hours',
  code_life         interval not null default interval '10 minutes',
  code_tries        integer not null default 5,
  constraint settings_pkey primary key (only_row),
  constraint settings_one_row check (only_row),
  constraint settings_access_token_life_sane check (
    access_token_life between interval '1 second' and interval '24 hours'
  ),
  constraint settings_session_lives_sane check (
    session_idle_life >= interval '1 minute' and session_idle_life <= session_life
  ),
  constraint settings_code_life_sane check (code_life between interval '1 minute' and interval '1 hour'),
  constraint settings_code_tries_sane check (code_tries between 1 and 10)
);
comment on table identity.settings is 'How long codes, tokens and sessions live. One row.';
comment on column identity.settings.only_row is 'Always true: the key that allows no second row.';
comment on column identity.settings.access_token_life is 'Of an access token; then the client refreshes.';
comment on column identity.settings.session_idle_life is 'A session that nobody refreshes for so long is over.';
comment on column identity.settings.session_life is 'However busy: after this the member signs in again.';
comment on column identity.settings.code_life is 'Of a login code, from the moment at which it is handed to the mail server.';
comment on column identity.settings.code_tries is 'Wrong tries after which a code is worthless.';
alter table identity.settings enable row level security;
insert into identity.settings (only_row) values (true);

-- One row an address: asked for -> sent (code_hash) -> used (session_id). A new request begins anew.
create table identity.login_codes (
  email           text not null,
  requested_at    timestamptz not null,
  allowance       numeric not null,
  code_hash       bytea,
  code_expires_at timestamptz,
  tries_left      integer not null default 0,
  used_at         timestamptz,
  session_id      uuid,
  constraint login_codes_pkey primary key (email),
  constraint login_codes_email_form check (email = lower(email) and length(email) between 3 and 254),
  constraint login_codes_allowance_sane check (allowance >= 0),
  constraint login_codes_tries_left_sane check (tries_left >= 0),
  constraint login_codes_code_whole check ((code_hash is null) = (code_expires_at is null)),
  constraint login_codes_use_whole check ((used_at is null) = (session_id is null)),
  constraint login_codes_used_was_sent check (used_at is null or code_hash is not null)
);
comment on table identity.login_codes is 'The login code of each address that asked for one lately. Whether a member has the address plays no part.';
comment on column identity.login_codes.email is 'Lower case.';
comment on column identity.login_codes.requested_at is 'When a code was last asked for.';
comment on column identity.login_codes.allowance is 'Codes that may still be asked for, as of requested_at; it grows again with time.';
comment on column identity.login_codes.code_hash is 'HMAC of the newest code that was handed to the mail server; null before the first.';
comment on column identity.login_codes.code_expires_at is 'Until when that code counts.';
comment on column identity.login_codes.tries_left is 'Wrong tries that it still survives.';
comment on column identity.login_codes.used_at is 'When it was used, if it was.';
comment on column identity.login_codes.session_id is 'The session that it began, if it did.';
alter table identity.login_codes enable row level security;
create index login_codes_requested_at_idx on identity.login_codes (requested_at);
comment on index identity.login_codes_requested_at_idx is 'What is old enough to be forgotten.';

create table identity.sessions (
  session_id uuid not null,
  campus_id  text not null,
  user_id    uuid not null,
  generation integer not null default 0,
  created_at timestamptz not null,
  renewed_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at   timestamptz,
  user_agent text,
  address    text,
  constraint sessions_pkey primary key (session_id),
  constraint sessions_generation_sane check (generation >= 0),
  constraint sessions_times_ordered check (created_at <= renewed_at and renewed_at <= expires_at),
  constraint sessions_user_agent_short check (length(user_agent) <= 200),
  constraint sessions_address_short check (length(address) <= 64)
);
comment on table identity.sessions is 'Where members are signed in. A session is a family of refresh tokens: only its newest generation counts.';
comment on column identity.sessions.session_id is 'The `session_id` of its tokens.';
comment on column identity.sessions.campus_id is 'The member''s campus.';
comment on column identity.sessions.user_id is 'The member.';
comment on column identity.sessions.generation is 'How often it was refreshed: the number of the one refresh token that counts.';
comment on column identity.sessions.created_at is 'When the member signed in (real time, as all here).';
comment on column identity.sessions.renewed_at is 'When it was last refreshed.';
comment on column identity.sessions.expires_at is 'When it is over if nobody refreshes it.';
comment on column identity.sessions.ended_at is 'When it was ended: signed out, or an old refresh token came back. Kept while an access token may be about.';
comment on column identity.sessions.user_agent is 'What the client called itself, for the member''s list.';
comment on column identity.sessions.address is 'From where it was last refreshed, for the member''s list.';
alter table identity.sessions enable row level security;
create index sessions_user_id_idx on identity.sessions (user_id);
comment on index identity.sessions_user_id_idx is 'The sessions of one member.';
create index sessions_ended_idx on identity.sessions (session_id) where ended_at is not null;
comment on index identity.sessions_ended_idx is 'Asked at each request: is the session over? Holds the few that are.';
create index sessions_expires_at_idx on identity.sessions (expires_at);
comment on index identity.sessions_expires_at_idx is 'What is old enough to be forgotten.';

commit;
