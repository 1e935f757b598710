"""A rehearsal: what is pending runs in one transaction that is rolled back, and the locks that it takes are noted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from circle27.migrations.engine import SqitchBackend, query

_MEANING = {  # from the weakest on; ACCESS SHARE, which every select takes, is no news
    "RowShareLock": "blocks no reads or writes of {}, only DDL",
    "RowExclusiveLock": "blocks no reads or writes of {}, only DDL",
    "ShareUpdateExclusiveLock": "blocks no reads or writes of {}, only DDL and vacuum",
    "ShareLock": "blocks writes of {}",
    "ShareRowExclusiveLock": "blocks writes of {}",
    "ExclusiveLock": "blocks writes of {}, and select for update",
    "AccessExclusiveLock": "blocks reads and writes of {}",
}
_MODES = list(_MEANING)
_HELD_LOCKS = query("held_locks")
_INTERVAL = 0.01  # seconds; a look after each statement of a release would double the time for which it holds locks


@dataclass(frozen=True)
class Lock:
    """The strongest lock on a relation that was there before, and for how many seconds it was held at most."""

    relation: str
    mode: str
    seconds: float

    def __str__(self) -> str:
        """Say what it means for others."""
        mode = "".join(f" {letter}" if letter.isupper() else letter for letter in self.mode.removesuffix("Lock"))
        meaning = _MEANING[self.mode].format(self.relation)
        return f"{meaning} for {milliseconds(self.seconds)} ({mode.strip().upper()})"


@dataclass(frozen=True)
class Rehearsed:
    """The changes that commit together, how long they took, and their locks, the strongest first."""

    names: list[str]
    refreshes: bool
    seconds: float
    locks: list[Lock]


def milliseconds(seconds: float) -> str:
    """Return a time as people read it: whole milliseconds, at least one."""
    return f"{max(round(seconds * 1000), 1)} ms"


class _Watching(psycopg.Connection[TupleRow]):
    """A connection that notes which locks on relations its transaction holds, and since when at the earliest."""

    seen: dict[tuple[int, str], float] | None = None  # (relation, mode) -> when it was not held yet; None: don't look
    looked = 0.0

    def execute(self, *arguments: Any, **options: Any) -> psycopg.Cursor[TupleRow]:
        """Execute a statement, and look if it is time to."""
        cursor = super().execute(*arguments, **options)
        if self.seen is not None and time.monotonic() - self.looked > _INTERVAL:
            self.look()
        return cursor

    def look(self) -> dict[tuple[int, str], float]:
        """Note the locks that are held now, and return all."""
        assert self.seen is not None
        for relation, mode in super().execute(_HELD_LOCKS, prepare=True):
            self.seen.setdefault((relation, mode), self.looked)
        self.looked = time.monotonic()
        return self.seen


@dataclass(frozen=True)
class _Relation:
    name: str
    table: int | None  # of an index


class RehearsingBackend(SqitchBackend):
    """A backend for one rehearsal. What it can't lock soon it leaves to the real migration."""

    connection_class = _Watching

    @contextmanager
    def rehearsal(self) -> Iterator[Callable[[], "_Step"]]:
        """Begin a transaction, give what begins a step in it, and roll back."""
        connection: Any = self.connection
        rows = connection.execute(query("relations"))
        relations = {oid: _Relation(name, table) for oid, name, table in rows}
        with self.transaction(rollback_on_exit=True):
            connection.seen = {}
            try:
                yield lambda: _Step(connection, relations)
            finally:
                connection.seen = None


class _Step:
    """What commits together in the real migration."""

    def __init__(self, connection: _Watching, relations: dict[int, _Relation]) -> None:
        self.connection, self.relations = connection, relations
        self.before, self.began = set(connection.look()), time.monotonic()

    def end(self, names: list[str], *, refreshes: bool) -> Rehearsed:
        """Check what a commit would check, and tell time and locks."""
        # Deferred again, so that what the next step leaves for its end does not hinder it.
        self.connection.execute("set constraints all immediate; set constraints all deferred")
        now = time.monotonic()
        return Rehearsed(names, refreshes, now - self.began, self._locks(now))

    def _locks(self, now: float) -> list[Lock]:
        """Return the strongest lock on each relation of which this step locked more than it found locked.

        A relation that is not known was made in the rehearsal: nobody else sees it. An index is left out where its
        table is locked as much.
        """
        seen = self.connection.look()
        known = {key: _MODES.index(key[1]) for key in seen if key[0] in self.relations and key[1] in _MODES}
        touched = {oid for oid, _ in known.keys() - self.before}
        ranks: dict[int, int] = {}
        for (oid, _), rank in known.items():
            if oid in touched:
                ranks[oid] = max(ranks.get(oid, 0), rank)
        locks = []
        for oid in sorted(ranks, key=lambda oid: (-ranks[oid], self.relations[oid].name)):
            relation, mode = self.relations[oid], _MODES[ranks[oid]]
            if relation.table is None or ranks.get(relation.table, -1) < ranks[oid]:
                since = max(seen[oid, mode], self.began)
                locks.append(Lock(relation.name, mode, now - since))
        return locks
