-- A campus of members, each of whom has met some others in the last 60 days, and a slot at its deadline with the first of
-- them on its list. In bulk: the foreign keys of what is not under test are not checked.

set session_replication_role = replica;

insert into app.campuses (campus_id, name, time_zone, min_gap_days) values (%(campus)s, 'Bench', 'UTC', 7);

create temporary table bench_members as
select number::integer as number, md5(%(campus)s || number)::uuid as user_id
from generate_series(1, %(members)s) as numbers (number);

insert into app.user_campuses (user_id, campus_id)
select user_id, %(campus)s from bench_members;

insert into app.users (campus_id, user_id, email, display_name)
select %(campus)s, user_id, number || '@' || %(campus)s || '.edu', 'Member ' || number from bench_members;

-- Each with met / 2 others drawn by a hash: as often drawn by them.
insert into app.meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
select distinct on (user_a, user_b)
  %(campus)s, least(ones.user_id, others.user_id) as user_a, greatest(ones.user_id, others.user_id) as user_b, 1,
  timestamptz '2030-01-15 12:00Z' - make_interval(hours => 1 + abs(hashint4(draws.draw * 1000003 + ones.number) %% 1440))
from bench_members as ones
cross join generate_series(1, %(met)s / 2) as draws (draw)
inner join bench_members as others
  on others.number = 1 + abs(hashint8extended(ones.number::bigint * 1000 + draws.draw, 27)) %% %(members)s
where others.number <> ones.number
order by user_a, user_b;

insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
values (%(campus)s, '2030-01-15 12:00Z', '2030-01-15 11:00Z', '2030-01-15 12:20Z', app.next_version());

insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)
select %(campus)s, '2030-01-15 12:00Z', user_id, '2030-01-15 09:00Z', app.next_version()
from bench_members
where number <= %(people)s;

drop table bench_members;
set session_replication_role = origin;
