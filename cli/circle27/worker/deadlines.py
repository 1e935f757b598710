"""Deadlines: match what is due, and tell when to look again. What is due, and what is done then, SQL decides."""

import logging
from datetime import datetime
from functools import cache
from typing import Any

import psycopg

log = logging.getLogger("circle27.worker")


def run_due_deadlines(connection: psycopg.Connection) -> float:
    """Match every slot whose deadline has passed; return the seconds until the next deadline (inf: none ahead).

    Raises psycopg.Error. A slot that fails holds up no other; it stays due, and each failure is logged once.
    """
    row = connection.execute("select app.run_due_deadlines()").fetchone()
    assert row is not None
    ran: dict[str, Any] = row[0]
    for report in ran["matched"]:
        numbers = {key: report[key] for key in ("people", "circles", "leftOut", "repeatedPairs")}
        log.info("matched %s %s: %s", report["campusId"], report["timeSlot"], numbers)
    for slot in ran["missed"]:
        log.warning("missed, so cancelled: %s", slot["timeSlot"])
    for failure in ran["failed"]:
        _say_once(*map(str, failure.values()))
    if ran["nextDeadlineAt"] is None:
        return float("inf")
    ahead = datetime.fromisoformat(ran["nextDeadlineAt"]) - datetime.fromisoformat(ran["now"])
    return max(0.0, ahead.total_seconds())


@cache
def _say_once(*failure: str) -> None:
    log.error("not matched: %s", " ".join(failure))
