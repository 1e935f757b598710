-- Name the registry's version and the project in it, as the first `sqitch deploy` does. Repeatable.
with release as (
  insert into sqitch.releases (version, installer_name, installer_email)
  values (1.1, %(committer_name)s, %(committer_email)s)
  on conflict do nothing
)
insert into sqitch.projects (project, uri, creator_name, creator_email)
values (%(project)s, %(uri)s, %(committer_name)s, %(committer_email)s)
on conflict do nothing
