"""Throw-away PostgreSQL servers, of any version that is installed, and what the migrations make in one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from circle27.migrations import migrate
from circle27.paths import DB
from circle27.stack.programs import MIN_POSTGRESQL, installed_postgresql, postgresql_bindir
from tests.scratch import scratch

SUPPORT = Path(__file__).parent / "support"


def every_version() -> list[Any]:
    """Return the folder of programs of each server that is installed and new enough, and that of $PG_BINDIR."""
    packaged = [bindir for major, bindir in installed_postgresql().items() if major >= MIN_POSTGRESQL]
    versions = {_version(bindir): bindir for bindir in (*packaged, postgresql_bindir())}
    return [pytest.param(bindir, id=version) for version, bindir in versions.items()]


def _version(bindir: Path) -> str:
    """Return 15.20 of `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`."""
    words = subprocess.run([bindir / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    return words.split()[2]


@contextmanager
def running_server(bindir: Path, superuser: str = "postgres") -> Iterator[SimpleNamespace]:
    """A throw-away cluster. PostgreSQL refuses to run as root, so root lends it to `postgres`.

    It lives in a directory of its own outside, as pytest's temporary directories are closed to other users,
    and listens on a socket there and nowhere else: no port to search for, nothing for two runs to collide on.
    """
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    with scratch() as home:
        if owner:
            shutil.chown(home, "postgres", "postgres")
        run = partial(subprocess.run, check=True, cwd=home, stdout=subprocess.DEVNULL, **owner)
        make = [bindir / "initdb", "-D", "data", "-U", superuser]
        run([*make, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"])
        options = f"-F -k {home} -c listen_addresses='' -c synchronous_commit=off -c timezone=UTC"
        run([bindir / "pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start"])
        try:
            yield SimpleNamespace(
                host=home,
                port=5432,
                user=superuser,
                password=None,
                options="",
                maintenance_dbname="postgres",
                template_dbname=None,  # pytest-postgresql: nothing below this one to clone
            )
        finally:
            run([bindir / "pg_ctl", "-D", "data", "-m", "immediate", "stop"])


def install(host: str, port: int, user: str, dbname: str, **_: Any) -> None:
    """Make the template what the migrations make, plus the test support: in the order of db/README.md."""
    address = f"host={host} port={port} dbname={dbname}"
    with psycopg.connect(f"{address} user={user}", autocommit=True) as connection:
        for script in (SUPPORT / "extensions.sql", DB / "roles.sql"):
            connection.execute(script.read_bytes())
    migrate(f"{address} user=circle27_migrator")
    with psycopg.connect(f"{address} user={user}", autocommit=True) as connection:
        connection.execute((SUPPORT / "helpers.sql").read_bytes())


def close(connection: psycopg.Connection) -> None:
    """Revoke again what the database itself grants: a clone does not inherit that from its template."""
    connection.execute((DB / "roles.sql").read_bytes())
    connection.commit()
