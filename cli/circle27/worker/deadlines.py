"""Deadlines: match what is due, and tell when to look again. What is due, and what is done then, SQL decides."""

import logging
from datetime import datetime
from functools import cache
from typing import Any

import psycopg

log = logging.getLogger("circle27.worker")


def run_due_deadlines(connection: psycopg.Connection) -> float:
    """Match one slot whose deadline has passed, if any; return for how long nothing is due, in seconds.

    0: more is due. One at a time, so that the members of each hear of it before the next is begun, and other workers
    take the next meanwhile. A slot that fails holds up no other; it stays due, and each failure is logged once. Raises
    psycopg.Error.
    """
    row = connection.execute("select app.run_due_deadlines(1)").fetchone()
    assert row is not None
    ran: dict[str, Any] = row[0]
    for report in ran["matched"]:
        numbers = {key: report[key] for key in ("people", "circles", "leftOut", "repeatedPairs")}
        log.info("matched %s %s: %s", report["campusId"], report["timeSlot"], numbers)
    for slot in ran["missed"]:
        log.warning("missed, so cancelled: %s %s", slot["campusId"], slot["timeSlot"])
    for failure in ran["failed"]:
        _say_once(*map(str, failure.values()))
    if ran["left"]:
        return 0.0
    if ran["nextDeadlineAt"] is None:
        return float("inf")
    ahead = datetime.fromisoformat(ran["nextDeadlineAt"]) - datetime.fromisoformat(ran["now"])
    return max(0.0, ahead.total_seconds())


@cache
def _say_once(*failure: str) -> None:
    log.error("not matched: %s", " ".join(failure))
