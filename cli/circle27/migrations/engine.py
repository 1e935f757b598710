"""yoyo-migrations as the engine of a Sqitch project.

yoyo gives steps, transactions, savepoints and the undoing of what can't be rolled back. The state is kept in Sqitch's
own registry and under Sqitch's own lock, so either tool may be used next.
"""

import getpass
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import Migration, StepCollector

from circle27.migrations.errors import MigrationError
from circle27.migrations.plan import Entry, Plan, Tag
from circle27.migrations.script import Script
from circle27.migrations.sources import OWNERS

Connection = psycopg.Connection[TupleRow]
Direction = Literal["apply", "rollback"]

# yoyo logs what it also raises; without a handler Python would print it as a traceback.
logging.getLogger("yoyo").addHandler(logging.NullHandler())

SQITCH_LOCK = 75474063  # the advisory lock of App::Sqitch::Engine::pg
LOCK_TIMEOUT = "5s"
_POLL = 0.2  # seconds


def query(name: str) -> bytes:
    """Return the text of one of this package's .sql files."""
    return resources.files(__package__).joinpath(f"{name}.sql").read_bytes()


@dataclass(frozen=True)
class Deployed:
    """A row of sqitch.changes."""

    id: str
    name: str
    script_hash: str | None
    committed_at: datetime
    tagged: bool


class Change(Migration):  # type: ignore[misc]  # yoyo has no types
    """A change of the plan, seen as a yoyo migration. Its key in the database is Sqitch's change id."""

    def __init__(self, entry: Entry, deployed_id: str | None = None, *, former: Script | None = None) -> None:
        """Take a plan's entry; `deployed_id` where it was deployed under an id that the plan no longer has.

        `former`: for an unreleased snapshot that was deployed from another text, which no revert script undoes: what
        makes all that the releases before it hold.
        """
        super().__init__(entry.name, str(entry.script("deploy")), str(entry.top))
        self.entry = entry
        self.hash = deployed_id or entry.id
        self.former = former
        self.whole: Script | None = None  # where it takes the place of an old draft: what makes all sources
        self._depends: set[Migration] = set()
        self.deploy, self.revert = Script(entry.script("deploy")), Script(entry.script("revert"))
        self.verify = Script(entry.script("verify"))
        self.steps: list[Any] = []

    def process_steps(self, backend: "SqitchBackend", direction: Direction, force: bool = False) -> None:
        """Deploy and verify, or revert; inside a transaction if the script asks for one."""
        steps = StepCollector(self)
        steps.add_step(self.script("apply").run, self._restore if self.former else self.revert.run)
        steps.add_step(self.verify.check)
        self.use_transactions = self.script(direction).transactional
        self.steps = steps.create_steps(self.use_transactions)
        super().process_steps(backend, direction, force)

    def script(self, direction: Direction) -> Script:
        """Return the script that a direction runs."""
        return (self.whole or self.deploy) if direction == "apply" else (self.former or self.revert)

    def _restore(self, connection: Connection) -> None:
        """Put the releases before it in the place of an old draft."""
        drop_snapshot(connection, routines(connection))
        drop_unlike(connection, self.script("rollback"))
        self.script("rollback").run(connection)


class SqitchBackend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's psycopg 3 backend with Sqitch's registry and lock in place of yoyo's own."""

    def __init__(self, conninfo: str, project: str) -> None:
        """Connect. `conninfo` is a libpq connection string or URI, '' for libpq's variables alone."""
        super().__init__(conninfo, project)

    @property
    def project(self) -> str:
        """The project's name (kept where yoyo keeps its table's, so that `copy()` hands it on)."""
        return str(self.migration_table)

    @property
    def connection(self) -> Connection:
        """The psycopg connection, in autocommit mode."""
        connection: Connection = self._connection
        return connection

    def connect(self, dburi: str) -> Connection:
        """Connect with a lock timeout, unless the user has set one: waiting DDL stops all traffic behind it."""
        options = str(conninfo_to_dict(dburi).get("options") or os.environ.get("PGOPTIONS", ""))
        if "lock_timeout" not in options:
            options = f"{options} -c lock_timeout={LOCK_TIMEOUT}".strip()
        return psycopg.connect(
            dburi, autocommit=True, options=options, client_encoding="utf8", fallback_application_name="circle27"
        )

    @contextmanager
    def lock(self, timeout: float = 60, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold Sqitch's lock.

        Polls, as a waiting pg_advisory_lock() holds a snapshot that stalls concurrent index builds.
        Raises MigrationError after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self._get("select pg_try_advisory_lock(%s)", SQITCH_LOCK):
            if time.monotonic() > deadline:
                holder = self._get(
                    "select pid from pg_locks where locktype = 'advisory' and objid = %s and granted", SQITCH_LOCK
                )
                raise MigrationError(
                    f"another migration (server process {holder}) has held the lock for {timeout:g} s; wait for its "
                    f"end, or stop it with `select pg_terminate_backend({holder})`, and try again."
                )
            if on_wait:
                on_wait()
                on_wait = None
            time.sleep(_POLL)
        try:
            yield
        finally:
            if not self.connection.closed:
                self._get("select pg_advisory_unlock(%s)", SQITCH_LOCK)

    def _get(self, statement: str, *parameters: object) -> Any:
        row = self.connection.execute(statement.encode(), parameters).fetchone()
        return row[0] if row else None

    @property
    def initialized(self) -> bool:
        """Whether the database has a registry."""
        return self._get("select to_regclass('sqitch.changes')") is not None

    def initialize(self, plan: Plan) -> None:
        """Make the registry and name the project in it, where that is not done yet."""
        with self.connection.transaction():
            if not self.initialized:
                self.connection.execute(query("registry"))
            self.connection.execute(query("register"), {"project": plan.project, "uri": plan.uri, **committer()})

    def deployed(self) -> list[Deployed]:
        """Return the project's deployed changes, oldest first."""
        if not self.initialized:
            return []
        rows = self.connection.execute(query("deployed"), {"project": self.project})
        return [Deployed(*row) for row in rows]

    def apply_one(self, migration: Change, force: bool = False, mark: bool = True) -> None:
        """Deploy a change: script, verification and registry row commit together, or not at all."""
        self._one(migration, "apply", force, record_deploy if mark else None)

    def rollback_one(self, migration: Change, force: bool = False) -> None:
        """Revert a change; its registry row goes in the same transaction."""
        self._one(migration, "rollback", force, record_revert)

    def _one(
        self, change: Change, direction: Direction, force: bool, record: Callable[[Connection, Change], None] | None
    ) -> None:
        transactional = change.script(direction).transactional
        with (
            nullcontext(self) if self._in_transaction else self.copy() as backend,
            backend.transaction() if transactional else nullcontext(),
        ):
            change.process_steps(backend, direction, force)
            if record:
                record(backend.connection, change)

    def take_back_draft(self, draft: Change) -> None:
        """Take an unreleased snapshot out of the database and its registry, but for its routines; nobody may call them.

        They go, or get their new bodies, in `replace_draft`. Both belong into one `together`.
        """
        drop_snapshot(self.connection, routines(self.connection))
        record_revert(self.connection, draft)

    def replace_draft(self, snapshot: Change) -> None:
        """Deploy the snapshot in the place of the draft that was taken back."""
        drop_unlike(self.connection, snapshot.script("apply"))
        self.apply_one(snapshot)

    @contextmanager
    def together(self) -> Iterator["SqitchBackend"]:
        """Give a backend whose changes commit together at the end, or not at all. Each must be transactional."""
        with self.copy() as backend, backend.transaction():
            yield backend


def routines(connection: Connection) -> dict[int, str]:
    """Return oid -> signature of what a snapshot made; one of the same signature takes its place under its oid."""
    return dict(connection.execute(query("snapshot_routines"), {"owners": json.dumps(OWNERS)}).fetchall())


def drop_snapshot(
    connection: Connection, keep: Iterable[int] = (), drop: Literal["restrict", "cascade"] = "restrict"
) -> None:
    """Drop and revoke all that a snapshot may have made, by the catalogue; routines in `keep` are only closed."""
    kept = "{" + ",".join(map(str, keep)) + "}"
    for name, value in {"owners": json.dumps(OWNERS), "keep": kept, "drop": drop}.items():
        connection.execute("select set_config(%s, %s, true)", [f"circle27.snapshot_{name}", value])
    connection.execute(query("drop_snapshot"))


def drop_unlike(connection: Connection, whole: Script) -> None:
    """Drop the routines in whose place a snapshot's script will put none of the same signature.

    Its script is run for that, and rolled back. To drop them all would be simpler, but whoever calls one at the moment
    of the commit gets `cache lookup failed for function`; one that is replaced keeps its oid.
    """
    old = routines(connection)
    with connection.transaction(force_rollback=True):
        drop_snapshot(connection, drop="cascade")
        whole.run(connection)
        new = set(routines(connection).values())
    drop_snapshot(connection, [oid for oid, signature in old.items() if signature in new])


def committer() -> dict[str, str]:
    """Return who migrates, as Sqitch finds it: SQITCH_FULLNAME and SQITCH_EMAIL, else the user of the machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id may have no name
        user = "circle27"
    return {
        "committer_name": os.environ.get("SQITCH_FULLNAME", user),
        "committer_email": os.environ.get("SQITCH_EMAIL", f"{user}@{socket.gethostname()}"),
    }


def _signature(entry: Entry | Tag) -> dict[str, str]:
    return {
        "project": entry.project,
        "note": entry.note,
        "planned_at": entry.date,
        "planner_name": entry.planner_name,
        "planner_email": entry.planner_email,
        **committer(),
    }


def record_deploy(connection: Connection, change: Change) -> None:
    """Write the registry's rows for a deployed change."""
    entry = change.entry
    row = {"id": entry.id, "hash": change.deploy.hash, "change": entry.name, **_signature(entry)}
    lists = {
        "requires": list(entry.requires),
        "conflicts": list(entry.conflicts),
        "tags": [f"@{tag.name}" for tag in entry.tags],
    }
    connection.execute(query("record_deploy"), {**row, **lists})
    record_tags(connection, entry)


def record_tags(connection: Connection, entry: Entry) -> None:
    """Write the registry's rows for the tags of a deployed change."""
    for tag in entry.tags:
        row = {"id": tag.id, "tag": f"@{tag.name}", "change_id": tag.change_id, **_signature(tag)}
        connection.execute(query("record_tag"), row)


def record_revert(connection: Connection, change: Change) -> None:
    """Take a reverted change out of the registry and log the event."""
    connection.execute(query("record_revert"), {"id": change.hash, **committer()})
