-- Acknowledged changes that are not there: the entry is not as the last acknowledged change left it, and no newer change explains it.
select count(*)
from unnest(%(users)s::uuid[], %(slots)s::timestamptz[], %(joined)s::boolean[], %(versions)s::bigint[])
  as changes (user_id, time_slot, joined, version)
left join app.waitlist_entries as entries
  on entries.campus_id = %(campus)s
  and entries.time_slot = changes.time_slot
  and entries.user_id = changes.user_id
where not (
  (entries.user_id is not null and entries.left_at is null) = changes.joined
  or coalesce(entries.version > changes.version, false)
)
