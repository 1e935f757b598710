-- Deploy circle27:meeting_spots to pg

begin;

set local role circle27_owner;

create table app.meeting_spots (
  campus_id text not null,
  spot_id   text not null,
  name      text not null,
  closed_at timestamptz,
  constraint meeting_spots_pkey primary key (campus_id, spot_id),
  constraint meeting_spots_campus_id_fkey foreign key (campus_id) references app.campuses (campus_id) on delete cascade,
  constraint meeting_spots_spot_id_form check (spot_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  constraint meeting_spots_name_sane check (
    name = btrim(name) and length(name) between 1 and 200 and name !~ '[[:cntrl:]]'
  )
);
comment on table app.meeting_spots is 'Places where circles meet. The matching deals them; one circle at a time has a spot.';
comment on column app.meeting_spots.campus_id is 'The campus.';
comment on column app.meeting_spots.spot_id is 'Short name: library-steps.';
comment on column app.meeting_spots.name is 'Name for people: Library, front steps.';
comment on column app.meeting_spots.closed_at is 'Since when it is dealt no more (real time); null while in use.';
alter table app.meeting_spots enable row level security;

commit;
