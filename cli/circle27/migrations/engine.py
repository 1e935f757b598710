"""yoyo-migrations as the engine of a Sqitch project.

yoyo gives steps, transactions, savepoints and the undoing of what can't be rolled back. The state is kept in Sqitch's
own registry and under Sqitch's own lock, so either tool may be used next.
"""

import getpass
import json
import logging
import os
import random
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
ALONE_LOCK_TIMEOUT = "5s"  # of a script without a frame: an index that is built concurrently waits for transactions
PATIENCE = 60.0  # seconds for which a transaction that does not get its locks is tried again
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
        self.undone: bool | psycopg.Error = False
        """Of a deploy that failed outside of a transaction: whether the revert script ran, or how it failed."""

    def process_steps(self, backend: "SqitchBackend", direction: Direction, force: bool = False) -> None:
        """Deploy and verify, or revert; inside a transaction if the script asks for one.

        Where it does not, yoyo goes back through the steps after a failure. So the undoing is a step before the deploy:
        what a deploy leaves that fails in the middle (an index that is not valid) is taken away, too.
        """
        self.use_transactions = self.script(direction).transactional
        steps = StepCollector(self)
        if direction == "rollback":
            steps.add_step(None, self._restore if self.former else self.revert.run)
        else:
            for script in (self.revert, self.verify):  # found missing later, it would be too late outside a transaction
                script.load()
            steps.add_step(None, self._undo)
            steps.add_step(self.script("apply").run)
            steps.add_step(self.verify.check)
        self.steps = steps.create_steps(self.use_transactions)
        super().process_steps(backend, direction, force)

    def script(self, direction: Direction) -> Script:
        """Return the script that a direction runs."""
        return (self.whole or self.deploy) if direction == "apply" else (self.former or self.revert)

    def _undo(self, connection: Connection) -> None:
        """Run the revert script after a failure, unless nothing has been done: what is there is not ours then."""
        if self.deploy.untouched or connection.closed:
            return
        try:
            with connection.transaction() if self.revert.transactional else nullcontext():
                self.revert.run(connection)
            self.undone = True
        except psycopg.Error as error:
            self.undone = error

    def _restore(self, connection: Connection) -> None:
        """Put the releases before it in the place of an old draft."""
        drop_snapshot(connection, routines(connection))
        drop_unlike(connection, self.script("rollback"))
        self.script("rollback").run(connection)


class SqitchBackend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's psycopg 3 backend with Sqitch's registry and lock in place of yoyo's own.

    All goes through one connection. If this process is killed, the server may still be at work for it: then it still
    holds Sqitch's lock, too, and nobody else begins.
    """

    connection_class: type[Connection] = psycopg.Connection
    lock_timeout = "200ms"  # of one attempt
    on_busy: Callable[[], None] | None = None  # called once for each transaction that has to be tried again

    def __init__(self, conninfo: str, project: str) -> None:
        """Connect. `conninfo` is a libpq connection string or URI, '' for libpq's variables alone."""
        super().__init__(conninfo, project)

    @property
    def project(self) -> str:
        """The project's name (kept where yoyo keeps its table's)."""
        return str(self.migration_table)

    @property
    def connection(self) -> Connection:
        """The psycopg connection, in autocommit mode."""
        connection: Connection = self._connection
        return connection

    def connect(self, dburi: str) -> Connection:
        """Connect with a lock timeout: waiting DDL stops all traffic behind it. The user's options come last, and win.

        The server looks each second whether this process is still there; else a killed one's statement would go on.
        """
        users = conninfo_to_dict(dburi).get("options") or os.environ.get("PGOPTIONS", "")
        self.users_timeout = "lock_timeout" in str(users)
        options = f"-c lock_timeout={self.lock_timeout} -c client_connection_check_interval=1s {users}"
        return self.connection_class.connect(
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
        # Binary, since psycopg reads times as text in DateStyle ISO alone.
        rows = self.connection.execute(query("deployed"), {"project": self.project}, binary=True)
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

        def attempt() -> None:
            with self.transaction() if transactional else nullcontext():
                change.process_steps(self, direction, force)
                if record:
                    record(self.connection, change)

        if transactional:
            self.patiently(attempt)
        else:
            if not self.users_timeout:
                self.connection.execute(f"set lock_timeout = '{ALONE_LOCK_TIMEOUT}'".encode())
            attempt()

    def patiently(self, attempt: Callable[[], None]) -> None:
        """Run a transaction until it gets its locks; each time it does not, let the traffic pass.

        Requests take the same locks in another order. Who waits for one with others in hand may wait for ever; the
        server would find out after a second, and end a request as likely as us. So we give up first.

        Once only if the user has set a lock_timeout, or inside of another transaction.
        """
        once, deadline = self.users_timeout or self._in_transaction, time.monotonic() + PATIENCE
        on_busy = self.on_busy
        while True:
            try:
                return attempt()
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                if once or time.monotonic() > deadline:
                    raise
            if on_busy:
                on_busy()
                on_busy = None
            time.sleep(random.uniform(0.1, 0.5))

    def take_back_draft(self, draft: Change) -> None:
        """Take an unreleased snapshot out of the database and its registry, but for its routines; nobody may call them.

        They go, or get their new bodies, in `replace_draft`. Both belong into one transaction.
        """
        drop_snapshot(self.connection, routines(self.connection))
        record_revert(self.connection, draft)

    def replace_draft(self, snapshot: Change) -> None:
        """Deploy the snapshot in the place of the draft that was taken back."""
        drop_unlike(self.connection, snapshot.script("apply"))
        self.apply_one(snapshot)


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
