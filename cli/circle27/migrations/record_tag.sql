-- One tag on a deployed change. Repeatable: a tag may be planned after its change was deployed.
insert into sqitch.tags (
  tag_id, tag, project, change_id, note, planned_at, planner_name, planner_email, committer_name, committer_email
)
values (
  %(id)s, %(tag)s, %(project)s, %(change_id)s, %(note)s, %(planned_at)s, %(planner_name)s, %(planner_email)s,
  %(committer_name)s, %(committer_email)s
)
on conflict do nothing
