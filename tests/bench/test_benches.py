"""Each bench that fills tables by its own SQL, at a tiny size: it still fits the schema. No time is looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench.join import run as join
from bench.matching import times
from bench.matching.database import add_campus, circles_of, match, slot_at
from bench.peers import run as peers
from circle27.paths import ROOT
from circle27.stack.settings import SUPERUSER
from tests.stack import Stack

SIZES = {
    "growth": ("--campuses", "2", "--scale", "0.01"),
    "outbox": ("--events", "10000", "--pace", "20000"),
    "plans": ("--users", "100", "--days", "2"),
    "row_security": ("--users", "100", "--days", "2", "--members", "2", "--rounds", "1"),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_bench_runs(own_stack: Stack, tmp_path: Path, name: str) -> None:
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", f"bench.{name}.run", *SIZES[name], "--results", str(results)]
    played = subprocess.run(command, cwd=ROOT, env=own_stack.environment, text=True, capture_output=True, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    assert str(tmp_path) not in results.read_text("utf-8")  # what is committed names no folder
    assert json.loads(results.read_text("utf-8"))["options"]


def test_each_side_of_joining_writes_an_entry(own_stack: Stack) -> None:
    with join.prepare(own_stack.settings, members=10) as connection:
        for script in join.SIDES.values():
            connection.execute(script.encode())
        counted = connection.execute("select count(*) from app.waitlist_entries").fetchone()
    assert counted == (len(join.SIDES),)


# Without its servers: those need wrk and packages that the tests don't install.
def test_the_sql_of_the_peers_answers(own_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    for name, value in own_stack.environment.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(own_stack.settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(peers.EMPTY.encode())
        campus, members, slots = peers.prepare(connection, own_stack.settings, size=50)
        with connection.transaction():
            connection.execute((peers.HERE / "seed.sql").read_bytes())
            connection.execute("set local search_path = public, pg_catalog")
            scripts = peers.in_sql(campus, members[0][0], members, slots, own_stack.settings, connection)
        for script, searching in scripts.values():
            connection.execute("select set_config('search_path', %s, false)", [searching])
            connection.execute(script.encode())
        user, session = members[1][0], None
        raw = psycopg.RawCursor(connection, row_factory=psycopg.rows.dict_row)
        day = raw.execute((peers.HERE / "day.sql").read_bytes(), [user, session]).fetchall()
        assert [row["matched_at"] is not None for row in day] == [True, True, False]
        joined = raw.execute((peers.HERE / "join.sql").read_bytes(), [user, session, slots[2], None, None]).fetchall()
        assert [(row["is_new"], row["on_waitlist"]) for row in joined] == [(True, True)]


def test_the_matching_of_a_tiny_campus(postgresql: psycopg.Connection[Any]) -> None:
    postgresql.autocommit = True
    (row,) = times.run(postgresql, most=min(times.PEOPLE))
    assert row["people"] == min(times.PEOPLE)
    people = add_campus(postgresql, "tiny", 8, (3, 4, 5))
    report, _ = match(postgresql, "tiny", slot_at(0), people, seed=1)
    assert report["people"] == 8
    assert sorted(map(len, circles_of(postgresql, "tiny", slot_at(0)))) == [4, 4]
