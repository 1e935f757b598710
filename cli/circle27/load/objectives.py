"""What a run has to reach. The numbers are the same for every scenario; which of them apply depends on it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Objective:
    """One number that has to stay below a limit."""

    name: str
    text: str  # for people
    limit: float
    unit: str
    value: float | None  # None: nothing was measured

    @property
    def passed(self) -> bool:
        """Tell whether it was reached; what was not measured was not."""
        return self.value is not None and (self.value < self.limit if self.limit else self.value == 0)

    def figures(self) -> dict[str, Any]:
        """Return what summary.json holds of it."""
        return {**asdict(self), "passed": self.passed}


def measured(objective: dict[str, Any]) -> str:
    """Return the value of an objective's figures for people."""
    value = objective["value"]
    if value is None:
        return "not measured"
    return f"{value:,.0f} {objective['unit']}" if value >= 100 else f"{value:.3g} {objective['unit']}"


def objectives(summary: dict[str, Any]) -> list[Objective]:
    """Return the objectives of a run, with what its summary says of each."""
    requests = summary["requests"]
    found = [
        Objective("api_p50", "half of all answers come within", 150, "ms", summary["p50_ms"]),
        Objective("api_p95", "95 of 100 answers come within", 800, "ms", summary["p95_ms"]),
        Objective("query_p95", "95 of 100 queries of the database take less than", 100, "ms", summary["query_p95_ms"]),
        Objective(
            "errors",
            "of all requests fail fewer than",
            1,
            "%",
            100 * summary["errors"] / requests if requests else None,
        ),
        Objective("lost_writes", "acknowledged joins that are not in the database", 0, "", summary["lost_writes"]),
    ]
    if "deadline" in summary:
        last = summary["deadline"].get("max_s")
        found.append(Objective("deadline", "everyone knows the new button after the deadline within", 5, "s", last))
        found.append(Objective("wrong_buttons", "wrong buttons", 0, "", summary["deadline"].get("wrong")))
    if "broadcast" in summary:
        unheard = summary["broadcast"]["unheard"]
        found.append(Objective("unheard", "changes of which the member's own stream heard nothing", 0, "", unheard))
    return found
