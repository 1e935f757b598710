"""What a sweep leaves behind: tune.json, and one page that explains the recommendation."""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from circle27.load import chart
from circle27.load.page import TEMPLATES
from circle27.load.points import BETTER


def write(folder: Path, found: dict[str, Any]) -> None:
    """Write tune.json and index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tune.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    (folder / "index.html").write_text(page(found), "utf-8")


def page(found: dict[str, Any]) -> str:
    """Return the page."""
    return TEMPLATES.get_template("tune.html").render(
        title=f"load tune: {_changes(found) or 'keep the settings as they are'}",
        found=found,
        better=BETTER,
        verdict=verdict(found),
        remarks=_remarks(found),
        applied=_applied(found),
        knee_plot=_knee_plot(found["ladder"]),
        most=max(row["rps"] for row in found["table"]),
        machine=f"{os.cpu_count()} cores, Linux {platform.release()}, the generator on the same machine",
    )


def _applied(found: dict[str, Any]) -> str:
    if found["recommended"] == found["before"]:
        return "There is nothing to apply."
    if found["applied"]:
        return "Applied to the local stack: it has these settings now, and after each circle27 up."
    return "Not applied: circle27 load tune --apply does it for the local stack."


def verdict(found: dict[str, Any]) -> str:
    """Return the result in one sentence."""
    before, recommended, _ = found["final"]
    change = 100 * (recommended["rps"] / before["rps"] - 1)
    if found["recommended"] == found["before"]:
        return f"Leave it as it is ({before['rps']:.0f} calls a second): nothing that was tried served clearly more."
    return (
        f"Change {_changes(found)}: {recommended['rps']:.0f} calls a second instead of {before['rps']:.0f} "
        f"({change:+.0f} %), p99 {recommended['p99_ms']:.0f} ms instead of {before['p99_ms']:.0f}."
    )


def _changes(found: dict[str, Any]) -> str:
    changed = {name: value for name, value in found["recommended"].items() if value != found["before"][name]}
    return ", ".join(f"{name} = {value}" for name, value in changed.items())


def _remarks(found: dict[str, Any]) -> list[str]:
    before, best, direct = found["final"]
    knee, overload = found["knee"], found["overload"]
    share = 100 * (before if found["recommended"] == found["before"] else best)["rps"] / direct["rps"]
    few, many, after = overload["before"], overload["overload"], overload["after"]
    return [
        f"The knee is at {knee['clients']} clients: {knee['rps']:.0f} calls a second, p99 {knee['p99_ms']:.0f} ms. "
        "With more clients hardly more is served, and everybody waits longer.",
        f"What pooling costs: with PgBouncer it is {share:.0f} % of what PostgREST serves without it, on connections "
        "of its own with prepared statements. (It is what lets more PostgREST and other clients in than PostgreSQL has "
        "connections.)",
        f"With ten times the clients ({many['clients']:,} instead of {few['clients']:,}) {many['shed']:,} of "
        f"{many['requests']:,} calls were turned away with Retry-After, {many['unclear']} failed in any other way, and "
        f"{many['throughput_rps']:.0f} a second were served. Straight afterwards: {after['throughput_rps']:.0f} a "
        f"second (before {few['throughput_rps']:.0f}), p95 {after['p95_ms']:.0f} ms (before {few['p95_ms']:.0f}).",
    ]


def _knee_plot(ladder: Sequence[dict[str, Any]]) -> Markup:
    series = {
        "calls a second": [(point["clients"], point["rps"]) for point in ladder],
        "p99 in ms": [(point["clients"], point["p99_ms"]) for point in ladder],
    }
    return Markup(chart.lines(series, "", "", at=[point["clients"] for point in ladder]))
