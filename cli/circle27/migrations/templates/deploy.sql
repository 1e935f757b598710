-- Deploy $project:$name to pg

begin;

-- Who owns the schema: circle27_owner for api, app, events and ops; circle27_auth for identity and audit.
set local role circle27_owner;

-- Write the change in the place of this line, and take the hints away.
do $$$$ begin raise exception 'deploy/$name.sql is not written yet'; end $$$$;

-- A new table: a name for each constraint, campus_id in each key, a comment on each column, and row level security.
--
--   create table app.things (
--     campus_id text not null,
--     thing_id  uuid not null,
--     constraint things_pkey primary key (campus_id, thing_id),
--     constraint things_campus_id_fkey foreign key (campus_id) references app.campuses (campus_id) on delete cascade
--   );
--   comment on table app.things is '...';
--   comment on column app.things.campus_id is 'The campus.';
--   comment on column app.things.thing_id is '...';
--   alter table app.things enable row level security;
--
-- A table in use: a lock stops its readers until the commit, so nothing here may take long.
--
--   alter table app.users add column nickname text;  -- null or a constant default: no row is rewritten
--   alter table app.users add constraint users_nickname_length check (length(nickname) <= 40) not valid;
--   -- In a change of its own, since it reads all rows: alter table app.users validate constraint users_nickname_length;
--   -- An index on a table with many rows: `circle27 db new NAME --concurrently`.
--
-- Functions, views, triggers: db/functions. Policies and grants: db/policies. `circle27 db snapshot` freezes those.

commit;
