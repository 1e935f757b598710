"""Database fixtures: pytest-postgresql on a throw-away server."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from pytest_postgresql import factories
from pytest_postgresql.janitor import DatabaseJanitor

from circle27.migrations import migrate
from circle27.paths import DB
from circle27.stack.programs import postgresql_bindir
from tests.server import running_server

pytest_plugins = ["tests.pgtap", "tests.stack"]

SUPPORT = Path(__file__).parent / "support"


@pytest.fixture(scope="session")
def server() -> Iterator[SimpleNamespace]:
    """The server of most tests: that of $PG_BINDIR, or the newest installed."""
    with running_server(postgresql_bindir()) as running:
        yield running


def install(host: str, port: int, user: str, dbname: str, **_: Any) -> None:
    """Make the template what the migrations make, plus the test support: in the order of db/README.md."""
    address = f"host={host} port={port} dbname={dbname}"
    with psycopg.connect(f"{address} user={user}", autocommit=True) as connection:
        for script in (SUPPORT / "extensions.sql", DB / "roles.sql"):
            connection.execute(script.read_bytes())
    migrate(f"{address} user=circle27_migrator")
    with psycopg.connect(f"{address} user={user}", autocommit=True) as connection:
        connection.execute((SUPPORT / "helpers.sql").read_bytes())


# The template: what the migrations make. Databases are cloned from it, never changed.
migrated = factories.postgresql_noproc(depends_on="server", load=[install])

clone = factories.postgresql("migrated")


@pytest.fixture
def postgresql(clone: psycopg.Connection) -> psycopg.Connection:
    """A fresh clone for each test that asks for it."""
    _close(clone)
    return clone


def _close(connection: psycopg.Connection) -> None:
    """Revoke again what the database itself grants: a clone does not inherit that from its template."""
    connection.execute((DB / "roles.sql").read_bytes())
    connection.commit()


@pytest.fixture(scope="session")
def shared_database(migrated: Any) -> Iterator[psycopg.Connection]:
    """One clone for all tests that clean up after themselves by rolling back."""
    with (
        DatabaseJanitor(
            user=migrated.user,
            host=migrated.host,
            port=migrated.port,
            dbname="shared",
            template_dbname=migrated.template_dbname,
        ) as janitor,
        psycopg.connect(
            host=janitor.host, port=janitor.port, user=janitor.user, dbname="shared", autocommit=True
        ) as connection,
    ):
        _close(connection)
        yield connection


@pytest.fixture
def transaction(shared_database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A transaction on the shared clone; whatever the test does in it, roles included, is rolled back."""
    with shared_database.transaction(force_rollback=True):
        yield shared_database
