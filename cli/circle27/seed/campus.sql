-- What a history needs to know of its campus, and what history it has. No row: there is no such campus.
select
  clock.today,
  (
    select min(domains.domain)
    from app.campus_domains as domains
    where domains.campus_id = %(campus)s
  ) as domain,
  (
    select count(*)
    from app.users
    where users.campus_id = %(campus)s
  ) as others,
  earlier.users,
  earlier.random_seed
from app.campuses
cross join lateral (select (app.clock() at time zone campuses.time_zone)::date as today) as clock
-- Members of a history are told by their address: history-<random seed>-<number>@…
left join lateral (
  select
    max(split_part(split_part(users.email, '@', 1), '-', 3)::integer) as users,
    max(split_part(users.email, '-', 2)::bigint) as random_seed
  from app.users
  where users.campus_id = %(campus)s
    and users.email ~ '^history-[0-9]{1,18}-[0-9]{1,7}@'
) as earlier on true
where campuses.campus_id = %(campus)s
