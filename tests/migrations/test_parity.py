"""Ours and Sqitch's do the same, and may take turns on one database."""

from pathlib import Path

import pytest

from circle27.migrations import migrate, rollback, status, verify
from circle27.paths import DB, ROOT
from tests.migrations.conftest import Database, Project, Sqitch

CHANGES = """
select change_id, script_hash, change, project, note, planned_at, planner_name, planner_email
from sqitch.changes order by committed_at
"""
EVENTS = """
select event, change_id, change, project, note, requires, conflicts, tags, planned_at, planner_name, planner_email
from sqitch.events order by committed_at
"""
TAGS = (
    "select tag_id, tag, project, change_id, note, planned_at, planner_name, planner_email from sqitch.tags order by 1"
)
DEPENDENCIES = "select * from sqitch.dependencies order by 1, 3"
PROJECTS = "select project, uri from sqitch.projects"
RELEASES = "select version from sqitch.releases"


def registry(database: Database) -> list[list[tuple[object, ...]]]:
    """Return all rows of the registry but for times and committers."""
    return [database.rows(query) for query in (CHANGES, EVENTS, TAGS, DEPENDENCIES, PROJECTS, RELEASES)]


@pytest.fixture
def three(project: Project) -> Project:
    """Three changes, two tags, a requirement and a conflict."""
    project.table("one")
    project.tag("v0.0.1")
    project.table("two", needs="one !three")
    project.table("three", needs="one two")
    project.tag("v0.0.2")
    return project


def states(project: Project, database: Database) -> str:
    """Return one letter a change: d(eployed), p(ending), ..."""
    return "".join(change.state[0] for change in status(database.dsn, db_dir=project.db_dir))


def test_the_real_plan_gives_the_same_dump_and_registry(
    database: Database, other_database: Database, sqitch: Sqitch
) -> None:
    migrate(database.dsn)
    sqitch(ROOT, other_database, "deploy", "--verify")
    assert database.dump() == other_database.dump()
    assert "create schema sqitch" in database.dump().lower()
    assert registry(database) == registry(other_database)


def test_registries_are_alike_after_deploy_and_revert(
    three: Project, database: Database, other_database: Database, sqitch: Sqitch
) -> None:
    migrate(database.dsn, db_dir=three.db_dir)
    rollback(database.dsn, to="@v0.0.1", db_dir=three.db_dir)
    sqitch(three.root, other_database, "deploy", "--verify")
    sqitch(three.root, other_database, "revert", "-y", "--to", "@v0.0.1")
    assert registry(database) == registry(other_database)
    assert database.dump() == other_database.dump()


def test_ours_first_then_sqitch_then_ours(three: Project, database: Database, sqitch: Sqitch) -> None:
    migrate(database.dsn, db_dir=three.db_dir, to="two")
    assert states(three, database) == "ddp"
    sqitch(three.root, database, "deploy", "--verify")
    assert states(three, database) == "ddd"
    assert migrate(database.dsn, db_dir=three.db_dir) == []
    sqitch(three.root, database, "revert", "-y", "--to", "@v0.0.1")
    assert states(three, database) == "dpp"
    assert migrate(database.dsn, db_dir=three.db_dir) == ["two", "three"]
    assert "Nothing to deploy (up-to-date)" in sqitch(three.root, database, "status")
    assert "Verify successful" in sqitch(three.root, database, "verify")
    assert "Check successful" in sqitch(three.root, database, "check")


def test_sqitch_first_then_ours_then_sqitch(three: Project, database: Database, sqitch: Sqitch) -> None:
    sqitch(three.root, database, "deploy", "--verify", "--to", "two")
    assert migrate(database.dsn, db_dir=three.db_dir) == ["three"]
    assert rollback(database.dsn, to="one", db_dir=three.db_dir) == ["three", "two"]
    assert "two" in sqitch(three.root, database, "status")
    sqitch(three.root, database, "deploy", "--verify")
    assert all(check.error is None for check in verify(database.dsn, db_dir=three.db_dir))
    assert rollback(database.dsn, to="@ROOT", db_dir=three.db_dir) == ["three", "two", "one"]
    assert database.rows("select tablename from pg_tables where schemaname = 'public'") == []


def test_a_tag_planned_later_is_registered_by_the_next_migrate(project: Project, database: Database) -> None:
    project.table("one")
    migrate(database.dsn, db_dir=project.db_dir)
    project.tag("v0.0.1")
    assert migrate(database.dsn, db_dir=project.db_dir) == []
    assert database.rows("select tag from sqitch.tags") == [("@v0.0.1",)]


def test_the_checkout_has_a_script_for_each_side() -> None:
    names = {kind: {path.name for path in (DB / "migrations" / kind).rglob("*.sql")} for kind in ("deploy", "revert")}
    assert names["deploy"] == names["revert"] == {path.name for path in Path(DB / "migrations/verify").rglob("*.sql")}
