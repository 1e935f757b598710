-- One reverted change: its rows go (dependencies by cascade), its event stays, as `sqitch revert` writes it.
with tagged as (
  delete from sqitch.tags where change_id = %(id)s returning tag
), needed as (
  select type, dependency from sqitch.dependencies where change_id = %(id)s
), change as (
  delete from sqitch.changes where change_id = %(id)s returning *
)
insert into sqitch.events (
  event, change_id, change, project, note, requires, conflicts, tags, planned_at, planner_name, planner_email,
  committer_name, committer_email
)
select
  'revert', change_id, change, project, note,
  array(select dependency from needed where type = 'require'),
  array(select dependency from needed where type = 'conflict'),
  array(select tag from tagged),
  planned_at, planner_name, planner_email, %(committer_name)s, %(committer_email)s
from change
