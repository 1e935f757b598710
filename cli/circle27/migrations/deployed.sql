-- The deployed changes of a project, oldest first.
select change_id, change, script_hash, committed_at
from sqitch.changes
where project = %(project)s
order by committed_at
