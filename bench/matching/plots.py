"""The results as pictures: one SVG for each thing to be seen."""

from itertools import accumulate
from pathlib import Path
from typing import Any

OURS, OTHERS, LIMIT = "#1f6f54", "#b9b4a7", "#c0392b"


def draw(results: dict[str, Any], folder: Path) -> None:
    """Write those of which there are results."""
    import matplotlib as mpl  # noqa: PLC0415 - optional: pip install -e '.[bench]'

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "circle27", "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot  # noqa: PLC0415

    def begin(title: str, x: str, y: str) -> Any:
        axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")[1]
        axes.set(title=title, xlabel=x, ylabel=y)
        return axes

    def save(name: str, axes: Any) -> None:
        axes.legend(frameon=False)
        pyplot.savefig(folder / f"matching_{name}.svg", metadata={"Date": None})
        pyplot.close()

    if rows := results.get("times"):
        axes = begin("A matching takes", "people on the list", "seconds")
        people = [row["people"] for row in rows]
        axes.loglog(people, [row["seconds"] for row in rows], "o-", color=OURS, label="the whole transaction")
        axes.loglog(people, [row["drawing"] for row in rows], "s--", color=OTHERS, label="of it, drawing the circles")
        limits = [row for row in rows if row["budget"]]
        where = [row["people"] for row in limits]
        axes.loglog(where, [row["budget"] for row in limits], "_", color=LIMIT, ms=22, mew=2, label="budget")
        for row in rows:
            axes.annotate(
                f"{row['seconds']:.2g} s", (row["people"], row["seconds"]), xytext=(6, -12), textcoords="offset points"
            )
        axes.set_xticks(people, [f"{count:,}" for count in people], fontsize=8)
        axes.minorticks_off()
        save("times", axes)

    for row in results.get("simulations") or []:
        title = f"{row['members']:,} members, {row['share']:.0%} come: {row['repeats']:,} repeated pairs"
        axes = begin(title, "slots, three a day", "repeated pairs so far")
        axes.plot(list(accumulate(row["by_chance_of_slots"])), color=OTHERS, label=f"by chance ({row['by_chance']:,})")
        axes.plot(list(accumulate(row["repeats_of_slots"])), color=OURS, lw=2.5, label=f"Circle27 ({row['repeats']:,})")
        if row["bound"]:
            label = f"no way to less in the end ({row['bound']:,.0f})"
            axes.axhline(row["bound"], color=LIMIT, ls=":", label=label)
        save(f"campus_{row['campus']}", axes)

    def bars(axes: Any, names: list[str], series: dict[str, tuple[list[float], str]]) -> None:
        wide = 0.8 / len(series)
        for at, (label, (heights, colour)) in enumerate(series.items()):
            left = [place + (at - (len(series) - 1) / 2) * wide for place in range(len(names))]
            axes.bar_label(axes.bar(left, heights, wide, color=colour, label=label), fmt="{:.0f}", fontsize=8)
        axes.set_xticks(range(len(names)), names)

    if rows := results.get("golfers"):
        axes = begin("Social golfers, one round at a time", "groups-size-rounds", "repeated pairs, all rounds")
        worst = [float(max(row["repeats"])) for row in rows]
        budgets = [float(row["budget"]) for row in rows]
        names = [row["problem"] for row in rows]
        bars(axes, names, {"Circle27, worst of three seeds": (worst, OURS), "budget": (budgets, LIMIT)})
        save("golfers", axes)

    if rows := [row for row in results.get("references") or [] if "cp_sat" in row]:
        axes = begin(
            "One slot among people who know each other", "people, share of pairs that have met", "repeated pairs"
        )
        kinds = {
            "Circle27": ("repeats", OURS),
            "CP-SAT, the same time": ("cp_sat", "#4a7fb5"),
            "CP-SAT, ten times the time": ("cp_sat_10", "#9dbfdd"),
            "by chance": ("by_chance", OTHERS),
        }
        # Nothing at all found: no bar.
        series = {kind: ([float(row[key] or 0) for row in rows], colour) for kind, (key, colour) in kinds.items()}
        bars(axes, [f"{row['people']}, {row['met']:.0%}" for row in rows], series)
        save("references", axes)
