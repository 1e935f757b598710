"""Database fixtures: pytest-postgresql on a throw-away server."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from pytest_postgresql import factories
from pytest_postgresql.janitor import DatabaseJanitor

from circle27.stack.programs import postgresql_bindir
from tests.server import close, install, running_server

pytest_plugins = ["tests.pgtap", "tests.stack"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a reviewer see a change of rights as a diff."""
    parser.addoption(
        "--update-matrix", action="store_true", help="Write tests/authorisation/matrix.txt anew, for review as a diff."
    )


@pytest.fixture(scope="session")
def server() -> Iterator[SimpleNamespace]:
    """The server of most tests: that of $PG_BINDIR, or the newest installed."""
    with running_server(postgresql_bindir()) as running:
        yield running


# The template: what the migrations make. Databases are cloned from it, never changed.
migrated = factories.postgresql_noproc(depends_on="server", load=[install])

clone = factories.postgresql("migrated")


@pytest.fixture
def postgresql(clone: psycopg.Connection) -> psycopg.Connection:
    """A fresh clone for each test that asks for it."""
    close(clone)
    return clone


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
        close(connection)
        yield connection


@pytest.fixture
def transaction(shared_database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A transaction on the shared clone; whatever the test does in it, roles included, is rolled back."""
    with shared_database.transaction(force_rollback=True):
        yield shared_database
