-- One deployed change: its row, its dependencies and its event, as `sqitch deploy` writes them.
with change as (
  insert into sqitch.changes (
    change_id, script_hash, change, project, note, planned_at, planner_name, planner_email,
    committer_name, committer_email
  )
  values (
    %(id)s, %(hash)s, %(change)s, %(project)s, %(note)s, %(planned_at)s, %(planner_name)s, %(planner_email)s,
    %(committer_name)s, %(committer_email)s
  )
), required as (
  insert into sqitch.dependencies (change_id, type, dependency, dependency_id)
  select %(id)s, 'require', name, changes.change_id
  from unnest(%(requires)s::text[]) as name
  left join sqitch.changes as changes on changes.change = name and changes.project = %(project)s
), conflicting as (
  insert into sqitch.dependencies (change_id, type, dependency)
  select %(id)s, 'conflict', name
  from unnest(%(conflicts)s::text[]) as name
)
insert into sqitch.events (
  event, change_id, change, project, note, requires, conflicts, tags, planned_at, planner_name, planner_email,
  committer_name, committer_email
)
values (
  'deploy', %(id)s, %(change)s, %(project)s, %(note)s, %(requires)s, %(conflicts)s, %(tags)s, %(planned_at)s,
  %(planner_name)s, %(planner_email)s, %(committer_name)s, %(committer_email)s
)
