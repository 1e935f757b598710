"""How long one matching takes, in the database, with history."""

import statistics
import time
from datetime import UTC, datetime
from typing import Any

import psycopg

from bench.matching.database import HERE, one, set_clock

BUDGETS = {500: 0.1, 2500: 0.3, 5000: 1.0, 50000: 15.0}
PEOPLE = (12, 100, 500, 2500, 5000, 10000, 50000)
SLOT = datetime(2030, 1, 15, 12, tzinfo=UTC)


def run(connection: psycopg.Connection[Any], most: int) -> list[dict[str, Any]]:
    """Match lists of each size, whole: reading, drawing, writing, telling. Each is rolled back and done again."""
    rows = []
    for people in PEOPLE:
        if people > most:
            continue
        # The list is half of the campus; everyone has met some 90 of its members, 45 of them on the list.
        campus = f"times-{people}"
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(
                (HERE / "history.sql").read_text("utf-8"),
                {"campus": campus, "members": 2 * people, "met": min(90, people), "people": people},
            )
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        took, reports = [], []
        for seed in range(1, 6 if people <= 10000 else 4):
            with connection.transaction(force_rollback=True):
                set_clock(connection, SLOT)
                connection.execute("update app.clock_offset set time_offset = time_offset - interval '30 minutes'")
                began = time.perf_counter()
                reports.append(one(connection, "select app.match_time_slot(%s, %s, %s)", campus, SLOT, seed))
                took.append(time.perf_counter() - began)
        connection.execute("vacuum")
        rows.append(
            {
                "people": people,
                "seconds": round(statistics.median(took), 3),
                "worst": round(max(took), 3),
                "drawing": round(statistics.median(report["quality"]["milliseconds"] for report in reports) / 1000, 3),
                "repeats": max(report["repeatedPairs"] for report in reports),
                "bound": max(report["quality"]["lowerBound"] for report in reports),
                "steps": max(report["quality"]["steps"] for report in reports),
                "budget": BUDGETS.get(people),
            }
        )
        print(rows[-1], flush=True)
    return rows


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Name the budgets that were missed."""
    return [
        f"{row['people']} people took {row['seconds']} s, not {row['budget']}"
        for row in rows
        if row["budget"] is not None and row["seconds"] > row["budget"]
    ]
