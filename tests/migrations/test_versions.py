"""Every server that is installed: all migrations, both ways, and a day on what they make."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from circle27.migrations import migrate, rollback, verify
from circle27.migrations.drift import drift
from circle27.paths import DB, ROOT
from tests.migrations.conftest import OURS, Database, Sqitch, empty_database
from tests.migrations.one_slot import live
from tests.server import every_version, running_server


@pytest.fixture(scope="module", params=every_version())
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database that is migrated, on a server of one version."""
    with running_server(request.param) as server, empty_database(server) as made:
        migrate(made.dsn)
        yield made


def test_it_is_what_the_migrations_say(database: Database) -> None:
    assert [check for check in verify(database.dsn) if check.error] == []
    assert drift(database.dsn) == ([], None)


def test_roles_of_ours_have_limits_and_the_operator_the_last_word(database: Database) -> None:
    """As nobody else's roles and schema auth are here; beside Supabase test_beside_supabase.py says the opposite."""
    limits = "select array_to_string(rolconfig, ' ') from pg_roles where rolname = 'anon'"
    assert database.value(limits) == "statement_timeout=3s lock_timeout=1s"
    assert database.value(
        "select not has_database_privilege('pg_monitor', current_database(), 'connect, temporary, create')"
    )
    assert database.value("select pg_has_role('circle27_monitor', 'pg_monitor', 'usage')")
    try:
        database.run("alter role anon set statement_timeout = '2s'")
        database.run((DB / "roles.sql").read_text("utf-8"))
        assert database.value(limits) == "statement_timeout=2s lock_timeout=1s"
        assert database.value("select not pg_has_role('circle27_owner', 'authenticated', 'member')")
    finally:
        database.run("alter role anon set statement_timeout = '3s'")


def test_a_slot_lives(database: Database, tmp_path: Path) -> None:
    live(database, tmp_path)


def test_down_and_up_again_with_sqitch(database: Database, sqitch: Sqitch) -> None:
    rollback(database.dsn, to="@ROOT")
    assert database.rows(OURS) == [("sqitch",)]
    sqitch(ROOT, database, "deploy", "--verify")
    assert drift(database.dsn) == ([], None)
    sqitch(ROOT, database, "revert", "-y")
    assert database.rows(OURS) == [("sqitch",)]
    migrate(database.dsn)
    assert drift(database.dsn) == ([], None)
