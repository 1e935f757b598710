-- Deploy circle27:audit to pg
--
-- Partitions are few and wide: a year each, so that old ones can be dropped whole. The default one catches
-- what lies beyond them and should stay empty.

begin;

set local role circle27_auth;

create sequence audit.log_id_seq as bigint;
comment on sequence audit.log_id_seq is 'Numbers of the trail.';

create table audit.log (
  id         bigint not null default nextval('audit.log_id_seq'),
  at         timestamptz not null default clock_timestamp(),
  action     text not null,
  campus_id  text,
  user_id    uuid,
  time_slot  timestamptz,
  details    jsonb,
  actor_id   uuid,
  actor_role text not null,
  session_id text,
  address    text,
  request_id text,
  constraint log_pkey primary key (id, at),
  constraint log_action_form check (action ~ '^[a-z_]+\.[a-z_]+$')
) partition by range (at);
comment on table audit.log is 'Who did what to which row, when, from where. Append-only, for its owner too.';
comment on column audit.log.id is 'Number of the record.';
comment on column audit.log.at is 'When (real time, whatever the app clock says).';
comment on column audit.log.action is 'What was done: subject.verb, as in slots.opened.';
comment on column audit.log.campus_id is 'The campus of the row; null for what concerns all.';
comment on column audit.log.user_id is 'The member whose row it is, if any.';
comment on column audit.log.time_slot is 'The slot of the row, if any.';
comment on column audit.log.details is 'What else is worth keeping. Never a secret.';
comment on column audit.log.actor_id is 'Who did it: the `sub` of the token; null for jobs.';
comment on column audit.log.actor_role is 'As which role: the request''s, or the login of a job.';
comment on column audit.log.session_id is 'The session of the token, if any.';
comment on column audit.log.request_id is 'The gateway''s number of the request, as in its log and in the answer''s X-Request-Id; null for jobs.';
comment on column audit.log.address is 'From where: the client''s address as the gateway saw it; null for jobs.';
alter sequence audit.log_id_seq owned by audit.log.id;
alter table audit.log enable row level security;
create index log_user_id_idx on audit.log (user_id, at);
comment on index audit.log_user_id_idx is 'The trail of one member.';

-- What a value was and became, where that is somebody's own: beside the trail, because it can be erased. The fact stays.
create table audit.changes (
  id         bigint not null,
  at         timestamptz not null,
  user_id    uuid not null,
  old_values jsonb not null,
  new_values jsonb not null,
  constraint changes_pkey primary key (id),
  constraint changes_values_objects check (jsonb_typeof(old_values) = 'object' and jsonb_typeof(new_values) = 'object')
);
comment on table audit.changes is 'Personal values before and after a change in audit.log, for as long as the member wants them known.';
comment on column audit.changes.id is 'Number of the record in audit.log.';
comment on column audit.changes.at is 'When, as there.';
comment on column audit.changes.user_id is 'Whose values they are.';
comment on column audit.changes.old_values is 'What changed, as it was: {key: value}.';
comment on column audit.changes.new_values is 'What it became: {key: value}.';
alter table audit.changes enable row level security;
create index changes_user_id_idx on audit.changes (user_id);
comment on index audit.changes_user_id_idx is 'What one member may have erased.';
create index changes_at_idx on audit.changes (at);
comment on index audit.changes_at_idx is 'What is as old as the part of the trail that is dropped.';

do $partitions$
begin
  for v_year in 2026..2035 loop
    execute format(
      'create table audit.log_%1$s partition of audit.log for values from (%2$L) to (%3$L)',
      v_year, make_timestamptz(v_year, 1, 1, 0, 0, 0, 'UTC'), make_timestamptz(v_year + 1, 1, 1, 0, 0, 0, 'UTC')
    );
    execute format('comment on table audit.log_%1$s is %2$L', v_year, format('The trail of %s (UTC).', v_year));
    execute format('alter table audit.log_%s enable row level security', v_year);
    execute format('revoke update, delete, truncate on audit.log_%s from circle27_auth', v_year);
  end loop;
end;
$partitions$;

create table audit.log_default partition of audit.log default;
comment on table audit.log_default is 'The trail outside all years with a partition: should be empty.';
alter table audit.log_default enable row level security;

-- Append-only for the owner as well: a function that runs as circle27_auth can't change what was written.
revoke update, delete, truncate on audit.log_default from circle27_auth;
revoke update, delete, truncate on audit.log from circle27_auth;
revoke update, truncate on audit.changes from circle27_auth;

commit;
