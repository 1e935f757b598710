-- The deployed changes of a project, oldest first, and whether the database knows a tag on them.
select
  change_id, change, script_hash, committed_at,
  exists (select from sqitch.tags where tags.change_id = changes.change_id) as tagged
from sqitch.changes
where project = %(project)s
order by committed_at
