"""The clones, and the processes that each try mutants on one of them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg

from tests.mutation.trial import Trial
from tests.server import close

TRIAL: list[Trial] = []  # of this process


def begin(waiting: Any) -> None:
    """Take one clone for this process."""
    # No prepared statements: they outlive the transaction of the mutant that they were made on.
    TRIAL.append(Trial(psycopg.connect(waiting.get(), autocommit=True, prepare_threshold=None)))


def attempt(name: str) -> tuple[str, str | None]:
    """Try one mutant."""
    return name, TRIAL[0].killer(TRIAL[0].mutants[name])


def template(server: SimpleNamespace) -> str:
    """Make an empty database for the template; return its name."""
    return make(server, "mutated_template")


def clone(server: SimpleNamespace, number: int) -> str:
    """Clone the template; return the address of the clone."""
    name = make(server, f"mutated_{number}", " template mutated_template")
    dsn = f"host={server.host} port={server.port} user={server.user} dbname={name}"
    with psycopg.connect(dsn) as connection:
        close(connection)
    return dsn


def make(server: SimpleNamespace, name: str, clause: str = "") -> str:
    """Make a database."""
    with psycopg.connect(
        host=str(Path(server.host)), port=server.port, user=server.user, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"create database {name}{clause}".encode())
    return name
