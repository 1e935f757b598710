"""Throw-away PostgreSQL servers, of any version that is installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from circle27.stack.programs import MIN_POSTGRESQL, installed_postgresql, postgresql_bindir
from tests.scratch import scratch


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
