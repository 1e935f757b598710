"""What can be done with a database: migrate, rehearse that, roll back, tell the status, verify.

Each function takes a libpq connection string or URI ('' for libpq's variables alone) and `db_dir`, the folder that
holds migrations/. Each raises MigrationError (one sentence for the user), or psycopg.OperationalError if it can't
connect.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Literal, TypeVar

import psycopg
from psycopg import errors as pg

from circle27.migrations.engine import Change, Deployed, SqitchBackend, record_tags
from circle27.migrations.errors import MigrationError
from circle27.migrations.plan import Entry, Plan, is_release
from circle27.migrations.rehearsal import Rehearsed, RehearsingBackend
from circle27.migrations.releases import whole
from circle27.migrations.script import Script
from circle27.paths import DB

State = Literal["deployed", "edited", "pending", "unknown"]
Say = Callable[[str], None]
Backend = TypeVar("Backend", bound=SqitchBackend)

ROOT_TARGET = "@ROOT"


@dataclass(frozen=True)
class Status:
    """One change: `edited` was deployed from another text or place in the plan, `unknown` is in no plan."""

    name: str
    state: State
    id: str
    note: str
    tags: list[str]
    deployed_at: datetime | None


@dataclass(frozen=True)
class Check:
    """The outcome of one verify script; `error` is None where all is well."""

    name: str
    error: str | None


@dataclass(frozen=True)
class _Situation:
    """A plan beside what a database holds. `common` counts the changes on which both agree, from the first on."""

    plan: Plan
    deployed: list[Deployed]

    @property
    def common(self) -> int:
        pairs = zip(self.plan.entries, self.deployed, strict=False)
        return len(list(takewhile(lambda pair: pair[0].id == pair[1].id, pairs)))

    @property
    def foreign(self) -> list[Deployed]:
        """What the database holds and the plan does not have, or not there."""
        return self.deployed[self.common :]

    def edited(self, index: int) -> bool:
        return Change(self.plan.entries[index]).deploy.hash != self.deployed[index].script_hash

    @property
    def refreshable(self) -> bool:
        """Whether all that differs is the unreleased snapshot: its functions and policies hold no data."""
        if not self.deployed or not self._is_draft(self.deployed[-1]):
            return False
        return len(self.foreign) == 1 or (not self.foreign and self.edited(len(self.deployed) - 1))

    def _is_draft(self, row: Deployed) -> bool:
        """Whether a deployed change is the unreleased snapshot. What a tag, here or there, has fixed is none."""
        snapshot = self.plan.unreleased
        return snapshot is not None and row.name == snapshot.name and not row.tagged

    @property
    def refresh(self) -> list[Change]:
        """Return what a refresh deploys: the changes that the plan has put before the snapshot since, and itself."""
        changes = [Change(entry) for entry in self.plan.entries[min(self.common, len(self.plan.entries) - 1) :]]
        changes[-1].whole = whole(self.plan.entries, self.plan.db_dir)
        return changes

    def units(self, to: str | None) -> list[list[Change]]:
        """Return what `migrate` deploys up to `to`, in order; what commits together is one list: a refresh is."""
        until = self.plan.find(to) + 1 if to else len(self.plan.entries)
        if self.refreshable and until == len(self.plan.entries):
            return [self.refresh]
        if self.foreign:
            raise _diverged(self)
        return [[Change(entry)] for entry in self.plan.entries[self.common : until]]

    def reversals(self, keep: int) -> list[Change]:
        """Return the deployed changes after the first `keep`, newest first; a moved one by its name.

        A draft that the plan has no more, as nothing was left of it or its version was raised, needs no script.
        """
        named = {entry.name: entry for entry in self.plan.entries}
        rows = self.deployed[keep:][::-1]
        if rows and rows[0].name not in named and is_release(rows[0].name) and not rows[0].tagged:
            named[rows[0].name] = self.plan.entry(rows[0].name)
        if missing := [row.name for row in rows if row.name not in named]:
            raise MigrationError(
                f"{', '.join(missing)} is deployed but not in the plan, so nothing here says how to revert it; "
                "check out the version that has it."
            )
        return [Change(named[row.name], row.id, former=self._former(row)) for row in rows]

    def _former(self, row: Deployed) -> Script | None:
        """Return what the releases below an old draft hold; None for what its own script reverts."""
        entry = next((entry for entry in self.plan.entries if entry.name == row.name), None)
        if entry and (not self._is_draft(row) or Change(entry).deploy.hash == row.script_hash):
            return None
        return whole([below for below in self.plan.entries[: self.common] if below != entry], self.plan.db_dir)


def migrate(
    conninfo: str,
    *,
    db_dir: Path = DB,
    to: str | None = None,
    on_change: Say | None = None,
    on_refresh: Say | None = None,
    on_wait: Callable[[], None] | None = None,
    on_busy: Callable[[], None] | None = None,
    wait: float = 60,
) -> list[str]:
    """Deploy what is pending, up to and including `to` (a change or @tag); return the names deployed, in order.

    An unreleased snapshot (`release_x_y_z` without a tag) that has changed since is refreshed: dropped and deployed
    anew in one transaction, with all that the plan has put before it. `on_refresh` is called with its name before.
    `on_change` is called with each name once it is committed, `on_wait` once if another migration holds the lock; the
    wait ends with an error after `wait` seconds. `on_busy` is called once for each change that has to be tried again,
    as others use what it locks.
    """
    plan = _read(db_dir)
    done: list[str] = []
    with _session(conninfo, plan) as backend, backend.lock(wait, on_wait):
        backend.on_busy = on_busy
        now = _Situation(plan, backend.deployed())
        units = now.units(to)
        backend.initialize(plan)
        for unit in units:
            for name in _deploy(backend, now, unit, on_refresh):
                done.append(name)
                if on_change:
                    on_change(name)
        for entry in plan.entries[: max(now.common, plan.find(to) + 1 if to else len(plan.entries))]:
            record_tags(backend.connection, entry)
    return done


def rehearse(
    conninfo: str,
    *,
    db_dir: Path = DB,
    to: str | None = None,
    on_unit: Callable[[Rehearsed], None],
    on_wait: Callable[[], None] | None = None,
    wait: float = 60,
) -> str | None:
    """Do what `migrate` does, in one transaction that is rolled back; give each step with its time and locks.

    Stops before a change that does not run in a transaction, since nothing could take it back; returns its name then.
    """
    plan = _read(db_dir)
    with _connected(RehearsingBackend, conninfo, plan) as backend, backend.lock(wait, on_wait):
        now = _Situation(plan, backend.deployed())
        with backend.rehearsal() as begin:
            backend.initialize(plan)
            for unit in now.units(to):
                if not (unit[-1].whole or unit[0].deploy.transactional):
                    return unit[0].entry.name
                step = begin()
                names = _deploy(backend, now, unit)
                with _explained("deploy", unit[-1]):
                    rehearsed = step.end(names, refreshes=unit[-1].whole is not None)
                on_unit(rehearsed)
    return None


def _deploy(backend: SqitchBackend, now: _Situation, unit: list[Change], on_refresh: Say | None = None) -> list[str]:
    """Deploy what commits together; return the names."""
    if unit[-1].whole:
        _refresh(backend, now, unit, on_refresh)
    else:
        with _explained("deploy", unit[0]):
            backend.apply_one(unit[0])
    return [change.entry.name for change in unit]


def _refresh(backend: SqitchBackend, now: _Situation, changes: list[Change], on_refresh: Say | None) -> None:
    """Put the snapshot of today in the place of the deployed draft: all in one transaction."""
    row = now.deployed[-1]
    *below, snapshot = changes
    if alone := [change.entry.name for change in changes if not change.deploy.transactional]:
        before = now.deployed[-2].name if len(now.deployed) > 1 else ROOT_TARGET
        raise MigrationError(
            f"{', '.join(alone)} does not run in a transaction, so it can't be deployed below {row.name} in one with "
            f"it; take the draft back with `circle27 db rollback --to {before}`, then migrate again."
        )
    if on_refresh:
        on_refresh(row.name)
    kept = f"nothing was changed; {row.name} is as it was"
    draft = Change(snapshot.entry, row.id)

    def attempt() -> None:
        with backend.transaction():
            backend.take_back_draft(draft)
            for change in below:
                backend.apply_one(change)
            backend.replace_draft(snapshot)

    with _explained("refresh", draft, kept):
        backend.patiently(attempt)


def rollback(
    conninfo: str,
    *,
    to: str,
    db_dir: Path = DB,
    on_change: Say | None = None,
    on_wait: Callable[[], None] | None = None,
    on_busy: Callable[[], None] | None = None,
    wait: float = 60,
    expect: list[str] | None = None,
) -> list[str]:
    """Revert all that was deployed after `to` (a change, @tag, or @ROOT for all), newest first; return the names.

    `expect` is what the caller has seen confirmed: if the database has moved on since, nothing is reverted. The
    callbacks are those of `migrate`.
    """
    plan = _read(db_dir)
    done: list[str] = []
    with _session(conninfo, plan) as backend, backend.lock(wait, on_wait):
        backend.on_busy = on_busy
        changes = _to_revert(_Situation(plan, backend.deployed()), to)
        if expect is not None and expect != [change.entry.name for change in changes]:
            raise MigrationError("the database was migrated while you were asked; nothing is rolled back. Look again.")
        for change in changes:
            with _explained("revert", change):
                backend.rollback_one(change)
            done.append(change.entry.name)
            if on_change:
                on_change(change.entry.name)
    return done


def reversals(conninfo: str, *, to: str, db_dir: Path = DB) -> list[Change]:
    """Return the changes that `rollback` would revert, newest first."""
    plan = _read(db_dir)
    with _session(conninfo, plan) as backend:
        return _to_revert(_Situation(plan, backend.deployed()), to)


def pending(conninfo: str, *, db_dir: Path = DB, to: str | None = None) -> list[Change]:
    """Return the changes that `migrate` would deploy, in order."""
    plan = _read(db_dir)
    with _session(conninfo, plan) as backend:
        return [change for unit in _Situation(plan, backend.deployed()).units(to) for change in unit]


def status(conninfo: str, *, db_dir: Path = DB) -> list[Status]:
    """Return every change of the plan in order, then what is deployed but unknown to it."""
    plan = _read(db_dir)
    with _session(conninfo, plan) as backend:
        now = _Situation(plan, backend.deployed())
    rows = {row.name: row for row in now.deployed}
    found = []
    for index, entry in enumerate(plan.entries):
        row = rows.pop(entry.name, None)
        state: State = "pending"
        if row is not None:
            state = "edited" if index >= now.common or now.edited(index) else "deployed"
        tags = [f"@{tag.name}" for tag in entry.tags]
        found.append(Status(entry.name, state, entry.id, entry.note, tags, row.committed_at if row else None))
    return found + [Status(row.name, "unknown", row.id, "", [], row.committed_at) for row in rows.values()]


def verify(conninfo: str, *, db_dir: Path = DB) -> list[Check]:
    """Run the verify script of each deployed change, each in a transaction that is rolled back."""
    plan = _read(db_dir)
    found = []
    with _session(conninfo, plan) as backend:
        now = _Situation(plan, backend.deployed())
        for entry in plan.entries[: now.common]:
            try:
                Change(entry).verify.check(backend.connection)
            except psycopg.Error as error:
                found.append(Check(entry.name, _sentence(error)))
            else:
                found.append(Check(entry.name, None))
    return found


def _read(db_dir: Path) -> Plan:
    return Plan.read(db_dir / "migrations" / "sqitch.plan")


@contextmanager
def _session(conninfo: str, plan: Plan) -> Iterator[SqitchBackend]:
    """Connect. What the server refuses outside a script is one sentence, too."""
    with _connected(SqitchBackend, conninfo, plan) as backend:
        yield backend


@contextmanager
def _connected(backend_class: type[Backend], conninfo: str, plan: Plan) -> Iterator[Backend]:
    try:
        with backend_class(conninfo, plan.project) as backend:
            yield backend
    except pg.InsufficientPrivilege as error:
        raise MigrationError(
            f"{_sentence(error)} Connect as circle27_migrator; db/roles.sql, run once for each database, gives it "
            "its rights."
        ) from error
    except psycopg.ProgrammingError as error:
        raise MigrationError(f"the database or its address is not right: {_sentence(error)}") from error


def _to_revert(now: _Situation, to: str) -> list[Change]:
    keep = 0 if to == ROOT_TARGET else now.plan.find(to) + 1
    if keep > now.common:
        names: list[Entry] = now.plan.entries[: now.common]
        known = f"the last one deployed is {names[-1].name}" if names else "nothing is"
        raise MigrationError(f"{to} is not deployed here ({known}); choose a target that is.")
    return now.reversals(keep)


def _diverged(now: _Situation) -> MigrationError:
    names = ", ".join(row.name for row in now.foreign)
    last = now.plan.entries[now.common - 1].name if now.common else ROOT_TARGET
    if now.refreshable:
        return MigrationError(
            f"{names} is a draft, is deployed, and comes last: leave --to out, and it is refreshed together with what "
            f"is new; or take it back with `circle27 db rollback --to {last}` and migrate again."
        )
    return MigrationError(
        f"the database holds {names}, which the plan does not have in that place; check out the version that was "
        f"deployed, or take it back with `circle27 db rollback --to {last}` and migrate again."
    )


@contextmanager
def _explained(action: Literal["deploy", "revert", "refresh"], change: Change, kept: str = "") -> Iterator[None]:
    """Turn a server's error into a sentence that names the change, the file and the line, and what was kept of it."""
    direction: Literal["apply", "rollback"] = "apply" if action == "deploy" else "rollback"
    try:
        yield
    except psycopg.Error as error:
        kept = kept or _kept(change, direction)
        raise MigrationError(f"could not {action} {change.entry.name}: {_sentence(error)} ({kept})") from error


def _kept(change: Change, direction: Literal["apply", "rollback"]) -> str:
    """Say what a script that failed has left behind."""
    script = change.script(direction)
    if script.transactional or script.untouched:
        return "nothing of it was kept"
    if change.undone is True:
        return "it does not run in a transaction; its revert script has taken back what it had done"
    look = "it does not run in a transaction, so look at what it has left before you run it again"
    return f"{look}; its revert script failed, too: {_sentence(change.undone)}" if change.undone else look


def _sentence(error: BaseException) -> str:
    """Return where and what; the note with the place may hang on an earlier error of the chain."""
    cause: BaseException | None = error
    while cause and not getattr(cause, "__notes__", None):
        cause = cause.__context__
    cause = cause or error
    where = "".join(f"{note}: " for note in getattr(cause, "__notes__", ()))
    if not isinstance(cause, psycopg.Error):
        return f"{where}{cause}"
    if cause.diag.constraint_name == "changes_project_script_hash_key":
        return "its deploy script has the same text as another change's; name the change in a comment."
    parts = [cause.diag.message_primary or str(cause).splitlines()[0]]
    parts += [part for part in (cause.diag.message_detail, cause.diag.message_hint) if part]
    if isinstance(cause, pg.LockNotAvailable):
        parts += [
            "Other sessions use the object; try again when they are done. PGOPTIONS='-c lock_timeout=60s' waits "
            "longer, and so does every request behind it"
        ]
    return where + ". ".join(part.rstrip(".") for part in parts) + "."
