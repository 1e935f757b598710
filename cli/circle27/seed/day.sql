-- One day of a campus's history, in one statement: slots matched at their deadlines, who was on the lists, circles and
-- their spots, who has met whom, and feedback. Gives one row of counts.
--
-- One statement, so that each part is handed on and none read back: the planner knows nothing of rows that were written
-- a moment ago. The foreign keys are checked at its end, so the parts may be written in any order.
--
-- A slot that exists is left as it is, whoever opened it. Called with the campus's 'pairs' lock held: spots are dealt.
--
-- All chance is `draw`: 64 bits that follow from (random seed, campus, slot, number). Bits 0-23 say who comes, 24-33 who
-- leaves again, 34-63 the order at the table; further chances are hashes of it.
with campus as materialized (
  select
    campuses.*,
    app.clock() as now,
    hashtextextended(campuses.campus_id, %(random_seed)s) as seed
  from app.campuses
  where campuses.campus_id = %(campus)s
),

people as materialized (
  select users.user_id, split_part(split_part(users.email, '@', 1), '-', 3)::bigint as number
  from app.users
  where users.campus_id = %(campus)s
    and starts_with(users.email, format('history-%%s-', %(random_seed)s::bigint))
),

slots as materialized (
  select
    instants.time_slot,
    instants.time_slot - campus.deadline_lead as deadline_at,
    instants.time_slot + campus.duration as ends_at,
    hashtextextended(extract(epoch from instants.time_slot)::text, campus.seed) as seed
  from campus
  cross join lateral app.slot_instants(campus.time_zone, %(day)s, campus.slot_times) as instants (time_slot)
  where instants.time_slot + campus.duration <= campus.now
    and not exists (
      select
      from app.time_slots as others
      where others.campus_id = %(campus)s
        and others.time_slot = instants.time_slot
    )
),

wishes as materialized (
  select
    slots.time_slot,
    slots.deadline_at,
    people.user_id,
    people.number,
    draws.draw,
    ((draws.draw >> 24) & 1023) < 82 as changed_mind,  -- 8 %%
    -- Most join on the day, a few two days ahead, the last half a minute before the deadline.
    make_interval(secs => 30 + 172800 * power((hashint8extended(draws.draw, 1) & 65535) / 65536.0, 4)) as ahead
  from slots
  cross join people
  cross join lateral (select hashint8extended(people.number, slots.seed) as draw) as draws
  where (draws.draw & 16777215) < %(attendance)s * 16777216
),

listed as materialized (
  select
    wishes.*,
    row_number() over (partition by wishes.time_slot order by wishes.draw >> 34, wishes.number) as rank
  from wishes
  where not wishes.changed_mind
),

-- How many circles each slot makes. Where the people can't be split into the campus's sizes, the last are left out.
plans as materialized (
  select
    slots.*,
    coalesce(lists.people, 0) as people,
    coalesce(split.seated, 0) as seated,
    coalesce(split.circles, 0) as circles
  from slots
  cross join campus
  left join (
    select listed.time_slot, count(*)::integer as people
    from listed
    group by listed.time_slot
  ) as lists using (time_slot)
  left join lateral (
    select numbers.seated, counted.circles
    from generate_series(lists.people, 1, -1) as numbers (seated)
    cross join lateral (
      select app.circle_count(numbers.seated, campus.size_min, campus.size_target, campus.size_max) as circles
    ) as counted
    where counted.circles is not null
    order by numbers.seated desc
    limit 1
  ) as split on true
),

seats as materialized (
  select
    plans.time_slot,
    plans.ends_at,
    listed.user_id,
    listed.draw,
    1 + (listed.rank - 1) %% plans.circles as circle_no,
    (hashint8extended(listed.draw, 2) & 1023) < 31 as absent  -- 3 %%
  from plans
  inner join listed
    on listed.time_slot = plans.time_slot
    and listed.rank <= plans.seated
),

-- Slots that overlap share the spots: together they are one window, whose circles are numbered through.
windows as materialized (
  select
    numbered.*,
    min(numbered.time_slot) over (partition by numbered.window_no) as window_from,
    max(numbered.ends_at) over (partition by numbered.window_no) as window_to
  from (
    select begun.*, count(*) filter (where begun.apart) over (order by begun.time_slot) as window_no
    from (
      select
        plans.*,
        plans.time_slot >= coalesce(max(plans.ends_at) over earlier, '-infinity') as apart
      from plans
      window earlier as (order by plans.time_slot rows between unbounded preceding and 1 preceding)
    ) as begun
  ) as numbered
),

free_spots as materialized (
  select
    apart.window_no,
    spots.spot_id,
    row_number() over (
      partition by apart.window_no order by hashtextextended(spots.spot_id, apart.seed), spots.spot_id
    ) as place
  from (
    select distinct on (windows.window_no) windows.*
    from windows
    order by windows.window_no, windows.time_slot
  ) as apart
  inner join app.meeting_spots as spots
    on spots.campus_id = %(campus)s
    and spots.closed_at is null
  where not exists (
    select
    from app.circles as booked
    where booked.campus_id = %(campus)s
      and booked.spot_id = spots.spot_id
      and not booked.called_off
      and tstzrange(booked.time_slot, booked.ends_at) && tstzrange(apart.window_from, apart.window_to)
  )
),

tables as materialized (
  select dealt.time_slot, dealt.ends_at, dealt.circle_no, free_spots.spot_id
  from (
    select
      windows.window_no,
      windows.time_slot,
      windows.ends_at,
      numbers.circle_no,
      row_number() over (partition by windows.window_no order by windows.time_slot, numbers.circle_no) as place
    from windows
    cross join lateral generate_series(1, windows.circles) as numbers (circle_no)
  ) as dealt
  left join free_spots using (window_no, place)
),

pairs as materialized (
  select
    ones.time_slot,
    ones.user_id as user_a,
    others.user_id as user_b,
    row_number() over (partition by ones.user_id, others.user_id order by ones.time_slot) as nth_today
  from seats as ones
  inner join seats as others
    on others.time_slot = ones.time_slot
    and others.circle_no = ones.circle_no
    and others.user_id > ones.user_id
),

met as (
  insert into app.meetings as meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
  select %(campus)s, pairs.user_a, pairs.user_b, count(*), max(pairs.time_slot)
  from pairs
  group by pairs.user_a, pairs.user_b
  order by pairs.user_a, pairs.user_b
  on conflict on constraint meetings_pkey do update
  set meetings_count = meetings.meetings_count + excluded.meetings_count,
    last_met_at = greatest(meetings.last_met_at, excluded.last_met_at)
  returning meetings.user_a, meetings.user_b, meetings.meetings_count
),

repeated as (
  select pairs.time_slot, count(*) as pairs
  from (
    select pairs.*, count(*) over (partition by pairs.user_a, pairs.user_b) as times_today
    from pairs
  ) as pairs
  inner join met using (user_a, user_b)
  where pairs.nth_today > 1
    or met.meetings_count > pairs.times_today
  group by pairs.time_slot
),

opened as (
  insert into app.time_slots (
    campus_id, time_slot, deadline_at, ends_at, matched_at, version, match_seed, match_report
  )
  select
    %(campus)s, matched.time_slot, matched.deadline_at, matched.ends_at, matched.deadline_at, app.next_version(),
    matched.match_seed,
    jsonb_build_object(
      'campusId', %(campus)s,
      'timeSlot', matched.time_slot,
      'matchedAt', matched.deadline_at,
      'seed', matched.match_seed,
      'people', matched.people,
      'circles', matched.circles,
      'leftOut', matched.people - matched.seated,
      'repeatedPairs', matched.repeated_pairs,
      'circlesWithoutSpot', matched.spotless
    )
  from (
    select
      plans.*,
      (plans.seed >> 11) & 9007199254740991 as match_seed,  -- exact in JSON
      coalesce(repeated.pairs, 0) as repeated_pairs,
      (
        select count(*)
        from tables
        where tables.time_slot = plans.time_slot
          and tables.spot_id is null
      ) as spotless
    from plans
    left join repeated using (time_slot)
    order by plans.time_slot
  ) as matched
),

entries as (
  insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, left_at, version)
  select
    %(campus)s, ordered.time_slot, ordered.user_id, ordered.deadline_at - ordered.ahead,
    case when ordered.changed_mind then ordered.deadline_at - ordered.ahead / 3 end,
    app.next_version()
  from (
    select wishes.*
    from wishes
    order by wishes.time_slot, wishes.user_id
  ) as ordered
),

seated as (
  insert into app.circles (campus_id, time_slot, circle_no, spot_id, ends_at)
  select %(campus)s, tables.time_slot, tables.circle_no, tables.spot_id, tables.ends_at
  from tables
  order by tables.time_slot, tables.circle_no
),

places as (
  insert into app.circle_members (campus_id, time_slot, user_id, circle_no)
  select %(campus)s, seats.time_slot, seats.user_id, seats.circle_no
  from seats
  order by seats.time_slot, seats.user_id
),

opinions as materialized (
  select
    said.*,
    case
      when said.mood < 31 then 1
      when said.mood < 92 then 2
      when said.mood < 256 then 3
      when said.mood < 614 then 4
      else 5
    end as rating
  from (
    select seats.*, hashint8extended(seats.draw, 3) & 1023 as mood
    from seats
    where not seats.absent
      and (hashint8extended(seats.draw, 4) & 1023) < 634  -- 60 %% of all
  ) as said
),

given as (
  insert into app.feedback (campus_id, time_slot, user_id, rating, comment, created_at)
  select
    %(campus)s,
    opinions.time_slot,
    opinions.user_id,
    opinions.rating,
    case
      when opinions.mood & 15 = 0 and opinions.rating >= 4 then
        (%(praise)s::text[])[1 + ((opinions.draw >> 40) & 65535) %% cardinality(%(praise)s::text[])]
      when opinions.mood & 7 = 0 and opinions.rating < 4 then
        (%(blame)s::text[])[1 + ((opinions.draw >> 40) & 65535) %% cardinality(%(blame)s::text[])]
    end,
    least(
      opinions.ends_at
      + make_interval(secs => 20 + 7200 * power((hashint8extended(opinions.draw, 5) & 65535) / 65536.0, 3)),
      campus.now
    )
  from opinions
  cross join campus
  order by opinions.time_slot, opinions.user_id
),

said as (
  insert into app.feedback_about (campus_id, time_slot, user_id, about_id, meet_again, no_show)
  select
    %(campus)s, told.time_slot, told.user_id, told.about_id,
    case when not told.absent then told.chance & 7 < told.rating + 2 end,
    told.absent
  from (
    select
      opinions.time_slot,
      opinions.user_id,
      opinions.rating,
      mates.user_id as about_id,
      mates.absent,
      hashint8extended(opinions.draw # mates.draw, 6) as chance
    from opinions
    inner join seats as mates
      on mates.time_slot = opinions.time_slot
      and mates.circle_no = opinions.circle_no
      and mates.user_id <> opinions.user_id
  ) as told
  -- Of those who did not come three in four are reported; of the others one in five is said something about.
  where (told.chance >> 8) & 1023 < case when told.absent then 768 else 205 end
  order by told.time_slot, told.user_id, told.about_id
  returning 1
)

select
  (select count(*) from slots) as slots,
  (select count(*) from wishes) as entries,
  (select count(*) from tables) as circles,
  (select count(*) from seats) as places,
  (select count(*) from opinions) as feedback,
  (select count(*) from said) as remarks,
  (select count(*) from met) as pairs
