-- Deploy circle27:mails to pg
--
-- A queue beside the outbox of events: other readers, other times (a mail server may be away for hours), private facts.

begin;

set local role circle27_auth;

create sequence identity.mails_mail_id_seq as bigint;
comment on sequence identity.mails_mail_id_seq is 'Numbers of the mails.';

-- waiting (next_try_at ahead or due) -> taken (next_try_at = the end of the lease) -> sent: deleted.
create table identity.mails (
  mail_id     bigint not null default nextval('identity.mails_mail_id_seq'),
  kind        text not null,
  recipient   text,
  facts       jsonb not null default '{}',
  created_at  timestamptz not null,
  expires_at  timestamptz not null,
  next_try_at timestamptz not null,
  attempts    integer not null default 0,
  constraint mails_pkey primary key (mail_id),
  constraint mails_kind_form check (kind ~ '^[a-z_]{1,32}$'),
  -- One row stands for the mails of a whole slot, until it is taken.
  constraint mails_recipient_known check ((recipient is null) = (kind = 'circles')),
  -- It becomes a header.
  constraint mails_recipient_form check (recipient ~ '^[^[:space:][:cntrl:]<>]+@[^[:space:][:cntrl:]<>]+$'),
  constraint mails_facts_object check (jsonb_typeof(facts) = 'object'),
  constraint mails_attempts_sane check (attempts >= 0),
  constraint mails_times_ordered check (created_at <= expires_at)
);
comment on table identity.mails is 'E-mail that is still to be sent. No row holds a secret, nor what may change: a login code is made, and a circle looked up, when the mail is taken.';
comment on column identity.mails.mail_id is 'Number; with attempts the Message-ID.';
comment on column identity.mails.kind is 'Which text: login_code, circle; circles: one circle mail for each member of a slot, still to be made.';
comment on column identity.mails.recipient is 'To whom; null for circles.';
comment on column identity.mails.facts is 'What the text needs to know.';
comment on column identity.mails.created_at is 'When it was asked for (real time, as all here).';
comment on column identity.mails.expires_at is 'From when on it is of no use to anybody.';
comment on column identity.mails.next_try_at is 'When to try next; while it is being sent, when its sender is given up.';
comment on column identity.mails.attempts is 'How often it was taken, or overtaken by news while it was.';
alter sequence identity.mails_mail_id_seq owned by identity.mails.mail_id;
alter table identity.mails enable row level security;
-- Nobody waits for a code because 2,500 circles were formed a moment ago.
create index mails_due_idx on identity.mails ((kind <> 'login_code'), next_try_at, mail_id);
comment on index identity.mails_due_idx is 'What is due: login codes first, then by time.';
create unique index mails_login_code_key on identity.mails (recipient) where kind = 'login_code';
comment on index identity.mails_login_code_key is 'However often somebody asks: one mail with a code waits for an address.';
create unique index mails_circle_key on identity.mails (recipient, (facts ->> 'timeSlot')) where kind = 'circle';
comment on index identity.mails_circle_key is 'However often a circle changes: one mail about it waits for an address.';

create table identity.mail_server (
  only_row    boolean not null default true,
  failures    integer not null default 0,
  open_until  timestamptz,
  trial_until timestamptz,
  failed_at   timestamptz,
  error       text,
  constraint mail_server_pkey primary key (only_row),
  constraint mail_server_one_row check (only_row),
  constraint mail_server_failures_sane check (failures >= 0),
  constraint mail_server_error_short check (length(error) <= 200)
);
comment on table identity.mail_server is 'The circuit breaker: how the mail server has answered lately. One row.';
comment on column identity.mail_server.only_row is 'Always true: the key that allows no second row.';
comment on column identity.mail_server.failures is 'Failures since the last success.';
comment on column identity.mail_server.open_until is 'Until then it is left alone; after that one mail tries it.';
comment on column identity.mail_server.trial_until is 'When the one that tries it is given up, and another may.';
comment on column identity.mail_server.failed_at is 'When it last failed.';
comment on column identity.mail_server.error is 'What it said then.';
alter table identity.mail_server enable row level security;
insert into identity.mail_server (only_row) values (true);

commit;
