-- Deploy circle27:campuses to pg

begin;

set local role circle27_owner;

create table app.campuses (
  campus_id       text not null,
  name            text not null,
  time_zone       text not null,
  slot_times      time[] not null default array['11:00', '14:00', '17:00']::time[],
  open_days_ahead integer not null default 7,
  deadline_lead   interval not null default interval '1 hour',
  duration        interval not null default interval '20 minutes',
  size_min        integer not null default 3,
  size_target     integer not null default 4,
  size_max        integer not null default 5,
  min_gap_days    integer not null default 0,
  mix_attribute   text,
  created_at      timestamptz not null default clock_timestamp(),
  constraint campuses_pkey primary key (campus_id),
  -- It stands in channel names, URLs and tokens.
  constraint campuses_campus_id_form check (campus_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  constraint campuses_name_present check (btrim(name) <> '' and length(name) <= 200),
  -- A name of the IANA database, not an abbreviation or a POSIX rule ...
  constraint campuses_time_zone_form check (time_zone ~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]*){1,2})$'),
  -- ... and one that the server knows: an unknown zone is an error here, not at the first deadline.
  constraint campuses_time_zone_known check ((timestamptz '2000-01-01 00:00:00+00' at time zone time_zone) is not null),
  constraint campuses_slot_times_sane check (
    cardinality(slot_times) between 1 and 48
    and array_position(slot_times, null) is null
    and time '24:00' <> all(slot_times)
  ),
  constraint campuses_open_days_ahead_sane check (open_days_ahead between 0 and 60),
  -- Hours, not days: adding a day to an instant would depend on the session's time zone.
  constraint campuses_deadline_lead_sane check (
    deadline_lead > interval '0' and deadline_lead <= interval '24 hours' and extract(day from deadline_lead) = 0
  ),
  constraint campuses_duration_sane check (
    duration > interval '0' and duration <= interval '24 hours' and extract(day from duration) = 0
  ),
  constraint campuses_sizes_ascend check (
    size_min between 2 and size_target and size_target <= size_max and size_max <= 20
  ),
  constraint campuses_min_gap_days_sane check (min_gap_days between 0 and 365)
);
comment on table app.campuses is 'The tenants. Every other key begins with the campus.';
comment on column app.campuses.campus_id is 'Short name, in channels, URLs and tokens: stanford.';
comment on column app.campuses.name is 'Name for people: Stanford University.';
comment on column app.campuses.time_zone is 'IANA name; slot times and the hour on the button are of this zone.';
comment on column app.campuses.slot_times is 'Local times of the daily slots.';
comment on column app.campuses.open_days_ahead is 'For how many days ahead slots are open.';
comment on column app.campuses.deadline_lead is 'How long before the slot its waitlist closes.';
comment on column app.campuses.duration is 'How long after the start of the slot its meeting ends.';
comment on column app.campuses.size_min is 'Fewest people of a circle.';
comment on column app.campuses.size_target is 'Wanted people of a circle.';
comment on column app.campuses.size_max is 'Most people of a circle.';
comment on column app.campuses.min_gap_days is 'Days before two people may meet again.';
comment on column app.campuses.mix_attribute is 'Key of app.users.attributes to mix within a circle, if any.';
comment on column app.campuses.created_at is 'When the campus was added (real time).';
alter table app.campuses enable row level security;

-- A directory, like app.user_campuses: one domain belongs to one campus, so an address names its campus.
create table app.campus_domains (
  domain    text not null,
  campus_id text not null,
  constraint campus_domains_pkey primary key (domain),
  constraint campus_domains_campus_id_fkey foreign key (campus_id)
  references app.campuses (campus_id) on delete cascade,
  constraint campus_domains_domain_form check (
    domain ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$' and length(domain) <= 253
  )
);
comment on table app.campus_domains is 'Directory: the campus of an e-mail domain.';
comment on column app.campus_domains.domain is 'Lower-case domain of an e-mail address, matched whole: stanford.edu.';
comment on column app.campus_domains.campus_id is 'The campus whose members have it.';
create index campus_domains_campus_id_idx on app.campus_domains (campus_id);
comment on index app.campus_domains_campus_id_idx is 'The domains of one campus.';
alter table app.campus_domains enable row level security;

-- Written first and deleted last: app.users refers to it. (A directory can be copied to every node, and
-- only a key that points to it, not from it, survives that.)
create table app.user_campuses (
  user_id         uuid not null,
  campus_id       text not null,
  closed_at       timestamptz,
  suspended_until timestamptz,
  constraint user_campuses_pkey primary key (user_id),
  constraint user_campuses_campus_id_user_id_key unique (campus_id, user_id),
  constraint user_campuses_campus_id_fkey foreign key (campus_id) references app.campuses (campus_id) on delete cascade
);
comment on table app.user_campuses is 'Directory: the one campus of each member. User ids are unique over all campuses.';
comment on column app.user_campuses.user_id is 'The `sub` of the member''s tokens.';
comment on column app.user_campuses.campus_id is 'The campus that holds the member''s rows.';
comment on column app.user_campuses.closed_at is 'When the member deleted the account, if they did: here, where every call looks.';
comment on column app.user_campuses.suspended_until is 'Until when (real time) the member may join nothing, if they were suspended; infinity: until an operator lifts it.';
alter table app.user_campuses enable row level security;

create table app.users (
  campus_id    text not null,
  user_id      uuid not null,
  email        text not null,
  display_name text not null,
  tier         text not null default 'user',
  attributes   jsonb not null default '{}',
  circle_mail  boolean not null default true,
  created_at   timestamptz not null default clock_timestamp(),
  constraint users_pkey primary key (campus_id, user_id),
  constraint users_campus_id_email_key unique (campus_id, email),
  constraint users_directory_fkey foreign key (campus_id, user_id)
  references app.user_campuses (campus_id, user_id) on delete cascade,
  -- Sane, not complete: the code sent to it is the proof. No blanks, quotes or control characters.
  constraint users_email_form check (
    email = lower(email)
    and length(email) <= 254
    and email !~ '=\?'
    and email ~ '^[a-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[^@]+$'
    and email ~ '@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$'
  ),
  constraint users_display_name_sane check (
    display_name = btrim(display_name)
    and length(display_name) between 1 and 80
    and display_name !~ '[[:cntrl:]]'
  ),
  constraint users_tier_known check (tier in ('user', 'pro', 'operator')),
  constraint users_attributes_object check (jsonb_typeof(attributes) = 'object'),
  constraint users_attributes_small check (octet_length(attributes #>> '{}') <= 4096)
);
comment on table app.users is 'Members. The only place where authority (the tier) is read from.';
comment on column app.users.campus_id is 'The member''s campus.';
comment on column app.users.user_id is 'The `sub` of the member''s tokens.';
comment on column app.users.email is 'Private: lower case, granted to no member, not even the owner of the row.';
comment on column app.users.display_name is 'What circle-mates see.';
comment on column app.users.tier is 'user, pro or operator: rate limits, and for operators the operator functions.';
comment on column app.users.attributes is 'Free facts about the member that matching may mix.';
comment on column app.users.circle_mail is 'Whether the member hears of their circles by e-mail, too.';
comment on column app.users.created_at is 'When the member was registered (real time).';
create index users_user_id_idx on app.users (user_id, campus_id);
comment on index app.users_user_id_idx is 'The own row: the policy.';
alter table app.users enable row level security;

commit;
