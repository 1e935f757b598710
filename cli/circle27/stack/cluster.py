"""The local PostgreSQL cluster: made once, then brought to what roles.sql and the migrations say."""

import hashlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from circle27.errors import CircleError
from circle27.migrations import migrate
from circle27.paths import DB
from circle27.stack.programs import postgresql_bindir
from circle27.stack.secrets import give, password, write_private
from circle27.stack.settings import DATABASE, LOGIN_ROLES, SUPERUSER, Settings

SEED = Path(__file__).with_name("seed.sql")


def make_cluster(settings: Settings) -> None:
    """Run initdb unless it was done. A half-made cluster is never taken for one."""
    data = settings.home / "data"
    if (data / "PG_VERSION").exists():
        return
    # initdb works in a draft that is renamed at the end: a crash in between leaves nothing that looks ready.
    pwfile = settings.home / "secrets" / "initdb.password"
    pwfile.unlink(missing_ok=True)
    write_private(settings, pwfile, password(settings, SUPERUSER))
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="initdb-") as draft:
        give(settings, Path(draft))
        command = [f"{postgresql_bindir()}/initdb", "-D", f"{draft}/data", "-U", SUPERUSER, "-A", "scram-sha-256"]
        options = [f"--pwfile={pwfile}", "-E", "UTF8", "--locale=C.UTF-8"]
        result = subprocess.run(
            [*command, *options], cwd=draft, capture_output=True, text=True, check=False, **run_as(settings)
        )
        if result.returncode:
            raise CircleError(f"initdb failed: {result.stderr.strip().splitlines()[-1]}")
        Path(draft, "data").rename(data)
    pwfile.unlink()


def accepts_connections(settings: Settings) -> bool:
    """Tell whether PostgreSQL answers the superuser."""
    try:
        psycopg.connect(settings.dsn(SUPERUSER, database="postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def bring_up_to_date(settings: Settings, say: Callable[[str], None]) -> bool:
    """Make the database, the roles and their passwords, migrate, and seed the local campus. Repeatable.

    Returns whether anything was migrated: then a PostgREST that already runs must read the schema again.
    """
    with psycopg.connect(settings.dsn(SUPERUSER, database="postgres"), autocommit=True) as connection:
        if not connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchall():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    with psycopg.connect(settings.dsn(SUPERUSER)) as connection:
        connection.execute((DB / "roles.sql").read_bytes())
        for role in LOGIN_ROLES:
            # Hashed here, so that no password is ever sent in a statement (or written to a log of statements).
            verifier = connection.pgconn.encrypt_password(
                password(settings, role).encode(), role.encode(), b"scram-sha-256"
            )
            change = sql.SQL("alter role {} with login password {}")
            connection.execute(change.format(sql.Identifier(role), sql.Literal(verifier.decode())))
        connection.execute("alter role circle27_migrator createdb")  # locally, for tests and rehearsals
    migrator = settings.dsn("circle27_migrator")
    migrated = migrate(migrator, on_change=lambda name: say(f"migrated: {name}"))
    with psycopg.connect(migrator) as connection:
        connection.execute(SEED.read_bytes())
        sign_with(connection, settings.secret("jwt.key"))
    return bool(migrated)


def sign_with(connection: psycopg.Connection, key: str) -> None:
    """Let the database sign its members' tokens with this key, which PostgREST accepts. Repeatable."""
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    connection.execute("select identity.add_key(%s, %s)", [name, key.encode()])


def run_as(settings: Settings) -> dict[str, Any]:
    """Return subprocess options that make root step down to the services' user."""
    if os.geteuid() != 0:
        return {}
    return {"user": settings.os_user, "group": settings.os_user, "extra_groups": []}


def step_down(settings: Settings) -> None:
    """Make this process, if it is root's, the services' user's."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(settings.os_user)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
