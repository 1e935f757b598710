"""The results as pictures."""

from itertools import accumulate
from pathlib import Path
from typing import Any


def draw(results: dict[str, Any], folder: Path) -> None:
    """Write one SVG for each part of the results."""
    import matplotlib as mpl  # noqa: PLC0415 - optional: pip install -e '.[bench]'

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "circle27"
    from matplotlib import pyplot  # noqa: PLC0415

    def save(name: str) -> None:
        pyplot.tight_layout()
        pyplot.savefig(folder / f"matching_{name}.svg", metadata={"Date": None})
        pyplot.close()

    if rows := results.get("times"):
        pyplot.figure(figsize=(6, 4))
        pyplot.loglog([row["people"] for row in rows], [row["seconds"] for row in rows], "o-", label="whole matching")
        pyplot.loglog(
            [row["people"] for row in rows], [row["drawing"] for row in rows], "s--", label="drawing the circles"
        )
        budgets = [row for row in rows if row["budget"]]
        pyplot.loglog(
            [row["people"] for row in budgets], [row["budget"] for row in budgets], "r_", ms=16, label="budget"
        )
        pyplot.xlabel("people on the list")
        pyplot.ylabel("seconds")
        pyplot.legend()
        save("times")

    for row in results.get("simulations") or []:
        pyplot.figure(figsize=(6, 4))
        pyplot.plot(list(accumulate(row["by_chance_of_slots"])), label="by chance")
        pyplot.plot(list(accumulate(row["repeats_of_slots"])), label="Circle27")
        if row["bound"]:
            pyplot.axhline(row["bound"], color="grey", ls=":", label="bound at the end")
        pyplot.title(f"{row['members']} members, {row['share']:.0%} come")
        pyplot.xlabel("slots")
        pyplot.ylabel("repeated pairs so far")
        pyplot.legend()
        save(f"campus_{row['campus']}")

    if rows := results.get("golfers"):
        pyplot.figure(figsize=(6, 4))
        for row in rows:
            pyplot.plot(range(1, len(row["rounds"][0]) + 1), row["rounds"][0], "o-", label=row["problem"])
        pyplot.xlabel("round")
        pyplot.ylabel("repeated pairs")
        pyplot.legend()
        save("golfers")
