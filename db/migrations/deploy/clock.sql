-- Deploy circle27:clock to pg

begin;

set local role circle27_owner;

-- One row, for the whole system. Not a tenant's table: it has no campus_id, and is copied to every node.
create table app.clock_offset (
  only_row    boolean not null default true,
  time_offset interval not null default interval '0',
  constraint clock_offset_pkey primary key (only_row),
  constraint clock_offset_one_row check (only_row),
  -- A typing error must not carry dates beyond what a timestamp can hold.
  constraint clock_offset_bounded check (
    time_offset between interval '-100 years' and interval '100 years'
  ),
  -- Hours, not days or months: adding those to an instant would depend on each session's time zone.
  constraint clock_offset_exact check (
    extract(day from time_offset) = 0 and extract(month from time_offset) = 0 and extract(year from time_offset) = 0
  )
);
comment on table app.clock_offset is 'What app.clock() adds to the real clock. Zero in production.';
comment on column app.clock_offset.only_row is 'Always true: the key that allows no second row.';
comment on column app.clock_offset.time_offset is 'Added to clock_timestamp() for slots, deadlines and feedback; tokens, limits and the trail keep real time.';
alter table app.clock_offset enable row level security;

insert into app.clock_offset (only_row, time_offset)
values (true, interval '0');

create sequence app.version_seq as bigint;
comment on sequence app.version_seq is 'Versions of slots and entries: taken after the lock is held, so that they grow for each member and slot.';

commit;
