"""Rules for the whole schema, db/lints: each finds nothing in it, and finds the fault that is planted for it."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from circle27.paths import DB, ROOT

LINTS = sorted((DB / "lints").glob("*.sql"))
FAULTS = Path(__file__).parent / "faults"


def found(connection: psycopg.Connection[Any], lint: Path) -> list[str]:
    """Return what a lint finds."""
    connection.execute("set local search_path = pg_catalog")
    return sorted(row[0] for row in connection.execute(lint.read_bytes()).fetchall())


@pytest.mark.parametrize("lint", LINTS, ids=lambda lint: lint.stem)
def test_the_schema_is_clean(transaction: psycopg.Connection[Any], lint: Path) -> None:
    text = lint.read_text("utf-8")
    assert text.startswith("-- "), "a lint begins with its rule"
    assert found(transaction, lint) == [], text.splitlines()[0].removeprefix("-- ")


@pytest.mark.parametrize("lint", LINTS, ids=lambda lint: lint.stem)
def test_the_fault_is_found(transaction: psycopg.Connection[Any], lint: Path) -> None:
    fault = FAULTS / lint.name
    assert fault.is_file(), f"plant a fault for this lint in {fault.relative_to(ROOT)}"
    transaction.execute(fault.read_bytes())
    planted = re.findall(r"^-- finds: (.*)$", fault.read_text("utf-8"), re.M)
    assert planted
    assert found(transaction, lint) == sorted(planted)


def test_every_fault_has_its_lint() -> None:
    assert {fault.name for fault in FAULTS.glob("*.sql")} == {lint.name for lint in LINTS}


def test_every_door_has_its_test(transaction: psycopg.Connection[Any]) -> None:
    doors = transaction.execute("""
        select distinct functions.pronamespace::regnamespace || '/' || functions.proname || '.sql'
        from pg_proc as functions
        cross join unnest(array['anon', 'authenticated', 'service_role', 'circle27_worker', 'circle27_monitor']) as role
        where functions.prosecdef
          and functions.pronamespace::regnamespace::text in ('api', 'app', 'audit', 'events', 'identity', 'ops')
          and has_function_privilege(role, functions.oid, 'execute')
    """).fetchall()
    assert len(doors) > 20
    assert [path for (path,) in doors if not (ROOT / "tests" / path).is_file()] == []
