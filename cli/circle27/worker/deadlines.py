"""Deadlines: match what is due, and tell when to look again. What is due, and what is done then, SQL decides."""

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

RETRY_S, RETRY_AT_MOST_S = 1.0, 60.0

log = logging.getLogger("circle27.worker")


@dataclass
class Deadlines:
    """Runs deadlines on one connection after another; a slot that failed rests, twice as long each time."""

    # (campus, slot) -> when to try again (monotonic), and the rest after that
    resting: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def run(self, connection: psycopg.Connection) -> float:
        """Match one slot whose deadline has passed, if any; return for how long nothing is due, in seconds.

        0: more is due. One at a time, so that the members of each hear of it before the next is begun, and other
        workers take the next meanwhile. Raises psycopg.Error.
        """
        now = time.monotonic()
        skip = [{"campusId": c, "timeSlot": s} for (c, s), (until, _) in self.resting.items() if until > now]
        row = connection.execute("select app.run_due_deadlines(1, %s)", [json.dumps(skip)]).fetchone()
        assert row is not None
        ran: dict[str, Any] = row[0]
        for report in ran["matched"]:
            numbers = {key: report[key] for key in ("people", "circles", "leftOut", "repeatedPairs")}
            log.info("matched %s %s: %s", report["campusId"], report["timeSlot"], numbers)
        for slot in ran["missed"]:
            log.warning("missed, so cancelled: %s %s", slot["campusId"], slot["timeSlot"])
        for failure in ran["failed"]:
            key = (failure["campusId"], failure["timeSlot"])
            _, rest = self.resting.get(key, (0.0, RETRY_S))
            self.resting[key] = (now + rest, min(2 * rest, RETRY_AT_MOST_S))
            log.error("not matched, again in %.0f s: %s", rest, failure)
        if ran["left"]:
            return 0.0
        if ran["nextDeadlineAt"] is None:
            return float("inf")
        ahead = datetime.fromisoformat(ran["nextDeadlineAt"]) - datetime.fromisoformat(ran["now"])
        return max(0.0, ahead.total_seconds())
