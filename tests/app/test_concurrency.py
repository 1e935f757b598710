"""What two sessions do at once: each thing happens once, and nobody waits in a circle."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, LiteralString

import psycopg
import pytest

SESSIONS = 8


@pytest.fixture
def address(postgresql: psycopg.Connection[Any]) -> str:
    postgresql.execute("select app.add_campus('stanford', 'Stanford', 'America/Los_Angeles', array['stanford.edu'])")
    postgresql.execute("select app.add_campus('oslo', 'Oslo', 'Europe/Oslo', array['oslo.edu'])")
    postgresql.execute("truncate events.outbox")
    postgresql.commit()
    return postgresql.info.dsn


def at_once(address: str, query: LiteralString) -> list[Any]:
    """Run a query in several sessions at the same moment; return the first value of each."""
    start = Barrier(SESSIONS)

    def run(_: int) -> Any:
        with psycopg.connect(address) as connection:
            start.wait()
            row = connection.execute(query).fetchone()
            assert row is not None
            return row[0]

    with ThreadPoolExecutor(SESSIONS) as pool:
        return list(pool.map(run, range(SESSIONS)))


def test_slots_are_opened_once(address: str) -> None:
    opened = at_once(address, "select app.open_time_slots('2026-06-01 00:00+00')")
    with psycopg.connect(address) as connection:
        slots = connection.execute("select count(*) from app.time_slots").fetchone()
        events = connection.execute(
            "select count(*), count(distinct (channel, payload ->> 'timeSlot')) from events.outbox"
        ).fetchone()
    assert slots is not None
    assert slots[0] > 40
    assert sum(opened) == slots[0]
    assert events == (slots[0], slots[0])


def test_a_member_is_registered_once(address: str) -> None:
    found = at_once(address, "select user_id from app.register_user('ann@stanford.edu')")
    assert len(set(found)) == 1
    with psycopg.connect(address) as connection:
        rows = connection.execute("select (select count(*) from app.users), count(*) from app.user_campuses").fetchone()
    assert rows == (1, 1)


def test_each_event_is_taken_once(address: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute(
            "select app.emit('stanford', 'campus:stanford', 'slot', jsonb_build_object('n', n))"
            " from generate_series(1, 400) as n"
        )
    taken = at_once(address, "select array_agg(id) from events.take(50)")
    ids = [number for batch in taken if batch for number in batch]
    assert len(ids) == len(set(ids))
    with psycopg.connect(address) as connection:
        left = connection.execute("select count(*) from events.outbox").fetchone()
    assert left == (400 - len(ids),)
