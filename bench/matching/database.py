"""What the parts of the bench share: a throw-away server, a clock, campuses, matchings."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from circle27.stack.programs import postgresql_bindir
from tests.server import install, running_server

HERE = Path(__file__).parent
START = datetime(2030, 1, 1, 12, tzinfo=UTC)


@contextmanager
def database() -> Iterator[psycopg.Connection[Any]]:
    """Make a fresh database with all migrations, on a server that ends with it."""
    with running_server(postgresql_bindir()) as server:
        address = f"host={server.host} user={server.user}"
        with psycopg.connect(f"{address} dbname=postgres", autocommit=True) as connection:
            connection.execute("create database bench")
        install(str(server.host), server.port, server.user, "bench")
        with psycopg.connect(f"{address} dbname=bench", autocommit=True) as connection:
            connection.execute("set jit = off")  # as db/roles.sql has it for who matches
            yield connection


def one(connection: psycopg.Connection[Any], query: str, *arguments: Any) -> Any:
    """Return the first column of the first row."""
    row = connection.execute(query, arguments).fetchone()
    assert row is not None
    return row[0]


def set_clock(connection: psycopg.Connection[Any], at: datetime) -> None:
    """Move the app clock there."""
    connection.execute(
        "update app.clock_offset set time_offset = make_interval(secs => extract(epoch from %s - clock_timestamp()))",
        (at,),
    )


def add_campus(connection: psycopg.Connection[Any], name: str, members: int, sizes: tuple[int, int, int]) -> list[Any]:
    """Make a campus with so many members; return their ids."""
    connection.execute(
        "insert into app.campuses (campus_id, name, time_zone, size_min, size_target, size_max)"
        " values (%s, 'Bench', 'UTC', %s, %s, %s)",
        (name, *sizes),
    )
    connection.execute(
        "insert into app.user_campuses (user_id, campus_id)"
        " select md5(%s || number)::uuid, %s from generate_series(1, %s) as numbers (number)",
        (name, name, members),
    )
    connection.execute(
        "insert into app.users (campus_id, user_id, email, display_name)"
        " select campus_id, user_id, user_id || '@bench.edu', 'Member' from app.user_campuses where campus_id = %s",
        (name,),
    )
    connection.execute("analyze app.users, app.user_campuses")
    return [
        row[0]
        for row in connection.execute("select user_id from app.users where campus_id = %s order by user_id", (name,))
    ]


def slot_at(number: int) -> datetime:
    """Return the instant of a slot: three a day, three hours apart."""
    return START + timedelta(days=number // 3, hours=3 * (number % 3))


def match(
    connection: psycopg.Connection[Any], name: str, slot: datetime, people: list[Any], seed: int
) -> tuple[dict[str, Any], float]:
    """Play one slot, joining in bulk and matching the real way; return the report and the seconds it took."""
    connection.execute(
        "insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)"
        " values (%s, %s, %s, %s, app.next_version())",
        (name, slot, slot - timedelta(hours=1), slot + timedelta(minutes=20)),
    )
    connection.execute(
        "insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)"
        " select %s, %s, unnest(%s::uuid[]), %s, app.next_version()",
        (name, slot, people, slot - timedelta(hours=2)),
    )
    set_clock(connection, slot - timedelta(minutes=59))
    began = time.perf_counter()
    report = one(connection, "select app.match_time_slot(%s, %s, %s)", name, slot, seed)
    seconds = time.perf_counter() - began
    connection.execute("truncate events.outbox")  # there is no worker to take it
    return report, seconds


def circles_of(connection: psycopg.Connection[Any], name: str, slot: datetime) -> list[list[Any]]:
    """Return who sat with whom."""
    return [
        row[0]
        for row in connection.execute(
            "select array_agg(user_id order by user_id) from app.circle_members"
            " where campus_id = %s and time_slot = %s group by circle_no",
            (name, slot),
        )
    ]
