-- Every campus with its domains, slot times, spots in use and number of members.
select
  campuses.campus_id as "campusId",
  campuses.name,
  campuses.time_zone as "timeZone",
  array(
    select domains.domain
    from app.campus_domains as domains
    where domains.campus_id = campuses.campus_id
    order by domains.domain
  ) as domains,
  array(
    select to_char(times.at, 'HH24:MI')
    from unnest(campuses.slot_times) as times (at)
    order by times.at
  ) as "slotTimes",
  coalesce(
    (
      select jsonb_agg(
        jsonb_build_object('spotId', spots.spot_id, 'name', spots.name)
        order by spots.spot_id
      )
      from app.meeting_spots as spots
      where spots.campus_id = campuses.campus_id
        and spots.closed_at is null
    ),
    '[]'
  ) as spots,
  (
    select count(*)
    from app.users
    where users.campus_id = campuses.campus_id
  ) as members
from app.campuses
order by campuses.campus_id
