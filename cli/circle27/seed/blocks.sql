-- About one member in a hundred blocks one of those they sat with. Dated now: the circles of the past are what they were.
insert into app.blocks (campus_id, user_id, blocked_id)
select distinct on (places.user_id) %(campus)s, places.user_id, mates.user_id
from app.users
inner join app.circle_members as places
  on places.campus_id = %(campus)s
  and places.user_id = users.user_id
inner join app.circle_members as mates
  on mates.campus_id = %(campus)s
  and mates.time_slot = places.time_slot
  and mates.circle_no = places.circle_no
  and mates.user_id <> places.user_id
where users.campus_id = %(campus)s
  and starts_with(users.email, format('history-%%s-', %(random_seed)s::bigint))
  and (hashtextextended(users.email || ' blocks', %(random_seed)s) & 1023) < 10
  and not exists (
    select
    from app.blocks as earlier
    where earlier.campus_id = %(campus)s
      and earlier.user_id = users.user_id
  )
order by places.user_id, hashtextextended(mates.user_id::text, %(random_seed)s), mates.user_id
on conflict on constraint blocks_pkey do nothing
