"""What was measured with one setting after the other, and which of them to keep."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

BETTER = 1.03  # by so much a setting must win, and each of its rounds over each of the other's; less is noise
WORSE = 1.25  # and its p99 may be longer by no more
NEAR = 0.95  # of the most that was served: the knee is where this is reached with the fewest clients


@dataclass
class Point:
    """One setting (or number of clients) and what was measured with it, a value for each round."""

    label: str
    clients: int
    rps: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    errors: int = 0

    def figures(self) -> dict[str, Any]:
        """Return medians and spread."""
        return {
            "label": self.label,
            "clients": self.clients,
            "rps": round(statistics.median(self.rps), 1),
            "rps_min": min(self.rps),
            "rps_max": max(self.rps),
            "p50_ms": round(statistics.median(self.p50_ms), 1),
            "p99_ms": round(statistics.median(self.p99_ms), 1),
            "errors": self.errors,
        }


def choose(points: Sequence[Point], today: int) -> int:
    """Return the place of the point to keep: today's, unless another serves clearly more, and not much later."""
    found = [point.figures() for point in points]
    best = max(range(len(found)), key=lambda place: found[place]["rps"])
    wins = (
        found[best]["rps"] >= BETTER * found[today]["rps"]
        and found[best]["rps_min"] > found[today]["rps_max"]
        and found[best]["p99_ms"] <= WORSE * found[today]["p99_ms"]
        and (not found[best]["errors"] or bool(found[today]["errors"]))  # with a crowd, both have some
    )
    return best if wins else today


def knee_of(points: Sequence[Point]) -> Point:
    """Return the point with the fewest clients that serves nearly the most: more clients only wait longer."""
    most = max(point.figures()["rps"] for point in points)
    return next(point for point in points if point.figures()["rps"] >= NEAR * most)
