"""The invented past of a campus, for tests and benches: members, slots, circles, feedback.

All of it follows from (random seed, campus, number of members, days): the same arguments give the same rows, user ids
included. `write_history` writes a day in one transaction; what is there already it leaves as it is.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

import psycopg
from psycopg.rows import dict_row

from circle27.errors import CircleError
from circle27.seed.names import BLAME, FIRST_NAMES, LAST_NAMES, PRAISE

Row = dict[str, Any]


@dataclass(frozen=True)
class History:
    """What is asked for: `days` days before `until` (None: before today on the campus), `users` members."""

    campus: str
    users: int
    days: int
    random_seed: int
    attendance: float = 0.2  # share of the members on the list of each slot
    until: date | None = None
    among_others: bool = False  # also on a campus that has members of its own


@dataclass(frozen=True)
class Written:
    """What one call has added."""

    days: int  # of which at least one slot was missing
    rows: int
    opened: int  # slots of today and ahead


def write_history(
    connection: psycopg.Connection[Any], wanted: History, on_day: Callable[[int, int], None] = lambda _days, _rows: None
) -> Written:
    """Write what is missing of a history; `on_day(days done, rows written)` is told after each day.

    The connection is in autocommit mode and may `set role circle27_owner`. Raises CircleError where there is no such
    campus, where it has a history of other members or members of its own, and where `until` lies ahead.
    """
    campus = _campus(connection, wanted)
    until = wanted.until or campus["today"]
    days = [until - timedelta(days=ahead) for ahead in range(wanted.days, 0, -1)]
    words = {"praise": list(PRAISE), "blame": list(BLAME)}
    parameters: Row = {**asdict(wanted), **words}

    rows = added = 0
    for done, day in enumerate(days, 1):
        with connection.transaction():
            _as_owner(connection, wanted.campus)
            if done == 1 and campus["users"] is None:
                rows += _write_members(connection, wanted, days[0], campus["domain"])
            counts = _one(connection, "day", {**parameters, "day": day})
        written = sum(counts.values())
        rows += written
        added += written > 0
        if added == 1 and written:
            _analyze(connection, wanted.campus)
        on_day(done, rows)

    if added:
        _analyze(connection, wanted.campus)
    with (
        connection.transaction()
    ):  # also where all days are there: an earlier call may have ended before it came to this
        _as_owner(connection, wanted.campus)
        rows += connection.execute(_sql("blocks"), parameters).rowcount
        connection.execute("analyze app.blocks")
    with connection.transaction():
        opened = connection.execute("select app.open_campus_slots(%s, app.clock())", [wanted.campus]).fetchone()
    assert opened is not None
    return Written(added, rows, opened[0])


def totals(connection: psycopg.Connection[Any], campus: str) -> Row:
    """Return how many members, slots, entries, circles, places, pairs, feedback, remarks and blocks a campus has."""
    with connection.transaction():
        connection.execute("set local role circle27_owner")
        return _one(connection, "totals", {"campus": campus})


def _campus(connection: psycopg.Connection[Any], wanted: History) -> Row:
    with connection.transaction():
        connection.execute("set local role circle27_owner")
        found = connection.cursor(row_factory=dict_row).execute(_sql("campus"), asdict(wanted)).fetchone()
    if found is None:
        raise CircleError(f"there is no campus {wanted.campus}. Add it first: circle27 campus add {wanted.campus} …")
    if wanted.until is not None and wanted.until > found["today"]:
        raise CircleError(f"--until may be {found['today']} at the latest: that is today on {wanted.campus}.")
    if found["users"] is not None and (found["users"], found["random_seed"]) != (wanted.users, wanted.random_seed):
        raise CircleError(
            f"{wanted.campus} has a history of {found['users']} members from random seed {found['random_seed']}. "
            "More days can be added to it, other members can't: seed another campus."
        )
    if found["users"] is None and found["others"] and not wanted.among_others:
        raise CircleError(
            f"{wanted.campus} has {found['others']} members of its own, and an invented past can't be taken back. "
            "Seed another campus, or say --among-others."
        )
    return found


def _as_owner(connection: psycopg.Connection[Any], campus: str) -> None:
    """Act as the tables' owner, alone in dealing the campus's spots and pairs, to the end of the transaction."""
    connection.execute("set local role circle27_owner")
    connection.execute("set local jit = off")  # compiling a day's statement takes seconds, running it less
    # The planner can't know how many rows a part of the day hands on. Where it guesses one, loops cost seconds.
    connection.execute("set local enable_nestloop = off")
    connection.execute("select pg_advisory_xact_lock(app.lock_key('pairs', %s))", [campus])


def _write_members(connection: psycopg.Connection[Any], wanted: History, first_day: date, domain: str) -> int:
    names = {"first_names": list(FIRST_NAMES), "last_names": list(LAST_NAMES)}
    parameters = {**asdict(wanted), **names, "first_day": first_day, "domain": domain}
    count = connection.execute(_sql("members"), parameters).rowcount
    details = json.dumps({"users": wanted.users, "randomSeed": wanted.random_seed})
    connection.execute("select audit.record('history.seeded', %s, null, null, %s)", [wanted.campus, details])
    connection.execute("analyze app.users, app.user_campuses")  # how many there are decides how the day is put together
    return count


def _analyze(connection: psycopg.Connection[Any], campus: str) -> None:
    with connection.transaction():
        _as_owner(connection, campus)
        connection.execute(_sql("analyze"))


def _one(connection: psycopg.Connection[Any], name: str, parameters: Row) -> Row:
    row = connection.cursor(row_factory=dict_row).execute(_sql(name), parameters).fetchone()
    assert row is not None
    return row


@cache
def _sql(name: str) -> bytes:
    """Return the text of one of this package's .sql files."""
    return resources.files(__package__).joinpath(f"{name}.sql").read_bytes()
