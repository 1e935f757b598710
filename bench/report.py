"""Write docs/performance.md and its plots from what stands in bench/results. `make bench` runs it last.

.venv/bin/python -m bench.report

A missing result leaves its part out. Prints every budget that is missed.
"""

import json
import statistics
from math import ceil
from pathlib import Path
from typing import Any

from circle27.load import chart

ROOT = Path(__file__).parents[1]
RESULTS, IMAGES, PAGE = ROOT / "bench" / "results", ROOT / "docs" / "images", ROOT / "docs" / "performance.md"
COLOURS = {
    "nginx": "#7a9e3a", "postgrest": "#c94f1b", "python": "#8a4fb5", "pgbouncer": "#d9a400", "postgres": "#1b6ac9",
    "": "#1b6ac9",
    "small": "#1b6ac9", "large": "#c94f1b",
}  # fmt: skip
SIDES = {
    "ours": "Circle27",
    "empty": "an empty function, same path",
    "nine_reads": "nine reads a poll (the seed's way)",
    "fastapi": "FastAPI, same gateway and PgBouncer",
    "ours_bare": "Circle27, bare",
    "fastapi_bare": "FastAPI, bare",
    "day_states": "one day's states",
    "seed_thrice": "the seed's function, three statements",
    "seed_at_once": "the seed's function, three calls in one statement",
    "join": "a join",
}
DEADLINE_SIDES = {
    "streams": "streams",
    "polling": "polls of Circle27",
    "fastapi": "polls of FastAPI",
    "nine_reads": "nine reads a poll (the seed's way)",
}
BARE = "Bare: two processes, straight at PostgreSQL with prepared statements, no gateway and no PgBouncer."


def load(name: str) -> Any:
    """Return one result, or None."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else None


def median(rounds: list[dict[str, Any]], key: str = "per_second") -> float:
    """Return the middle of what the rounds gave."""
    return statistics.median(one[key] for one in rounds)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table of Markdown; all columns but the first are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def bars(file: str, title: str, unit: str, rows: list[tuple[str, dict[str, float]]]) -> None:
    """Draw one bar a row, made of named parts, into docs/images."""
    width, left, high = 760, 270, 30
    most = max(sum(parts.values()) for _, parts in rows)
    scale = (width - left - 80) / most
    names = list(dict.fromkeys(name for _, parts in rows for name, value in parts.items() if value))
    height = 50 + high * len(rows) + (28 if len(names) > 1 else 0)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="24" font-size="15">{title}</text>',
    ]
    for index, (label, parts) in enumerate(rows):
        y, x = 40 + high * index, float(left)
        out.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{label}</text>')
        for name, value in parts.items():
            out.append(f'<rect x="{x:.1f}" y="{y}" width="{value * scale:.1f}" height="21" fill="{COLOURS[name]}"/>')
            x += value * scale
        out.append(f'<text x="{x + 6:.1f}" y="{y + 15}">{sum(parts.values()):,.0f}{unit}</text>')
    if len(names) > 1:
        x = left
        for name in names:
            out.append(f'<rect x="{x}" y="{height - 22}" width="12" height="12" fill="{COLOURS[name]}"/>')
            out.append(f'<text x="{x + 16}" y="{height - 12}">{name}</text>')
            x += 34 + 7 * len(name)
    IMAGES.joinpath(file).write_text("\n".join([*out, "</svg>", ""]), "utf-8")


def peers(found: dict[str, Any], missed: list[str]) -> str:
    """Return what stands beside what."""
    text, rounds = ["## Beside what one would have built instead\n", on(found)], found["rounds"]
    for what, title in (
        ("buttons", "A poll: the buttons of the day"),
        ("joins", "Joining"),
        ("sql", "In SQL, by pgbench"),
    ):
        sides = rounds[what]
        rows = []
        for side in sorted(sides, key=lambda side: list(SIDES).index(side)):
            every = sides[side]
            row = [SIDES[side], f"{median(every):,.0f}"]
            row.append(
                f"{min(one['per_second'] for one in every):,.0f} to {max(one['per_second'] for one in every):,.0f}"
            )
            if what != "sql":
                row += [f"{median(every, 'p50_ms'):.1f}", f"{median(every, 'p99_ms'):.1f}"]
                row.append(f"{statistics.median(sum(one['cpu_us'].values()) for one in every):,.0f}")
            rows.append(row)
        head = [title, "a second", "of the rounds"] + (["p50, ms", "p99, ms", "processor, µs"] if what != "sql" else [])
        text.append(table(head, rows))
        if what == "buttons":
            ordered = sorted(sides, key=lambda side: -median(sides[side]))
            bars("performance-polls.svg", "Polls a second", "", [(SIDES[s], {"": median(sides[s])}) for s in ordered])
            parts = [
                (SIDES[s], {k: statistics.median(one["cpu_us"].get(k, 0) for one in sides[s]) for k in COLOURS})
                for s in ordered
            ]
            bars("performance-processor.svg", "What a poll takes of the processor, by program", " µs", parts)
            text.append("![Polls a second](images/performance-polls.svg)\n")
            text.append("![Processor time of a poll, by program](images/performance-processor.svg)\n")
            text.append(
                "`nine_reads` sends nine requests a poll: its latencies are of one request, all else is of a poll. "
                + BARE
                + "\n"
            )
    rows = []
    for row in found["ratio"]:
        name = f"{row['what']}: {SIDES[row['side']]} / {SIDES[row['base']]}"
        rows.append(
            [
                name,
                f"{row['median']:.2f}",
                f"{min(row['rounds']):.2f} to {max(row['rounds']):.2f}",
                *verdict(row, name, missed),
            ]
        )
    text.append(table(["ratio", "median", "of the rounds", "budget", ""], rows))
    return "\n".join(text)


def verdict(row: dict[str, Any], name: str, missed: list[str]) -> list[str]:
    """Return budget and verdict of a ratio, and keep what was missed."""
    if row["budget"] is None:
        return ["", ""]
    if not row["met"]:
        missed.append(f"{name}: {row['median']:.2f}, at least {row['budget']}")
    return [f"≥ {row['budget']}", "met" if row["met"] else "**missed**"]


def deadline(found: dict[str, Any]) -> str:
    """Return how long after a deadline members know, who are told or who poll."""
    text = [
        "## The deadline\n",
        "All members are on the list of one slot, and its deadline comes. How long does it take until a member's"
        " client knows whether there is a circle, as the database has it? **Streams**: until it has the message"
        " `button`. Nothing is asked then: a stream costs two requests an hour, with each new token. All others"
        " ask every ten seconds, each from another moment on, and at once again where that took longer. **Polls**"
        " of `get_button_states`, by Circle27 or by FastAPI: until an answer says that the slot is matched; before"
        " that it says `pending`. **Nine reads**: the client decides from rows, once it has all nine answers of a"
        " poll that it began after the deadline; a row of a circle is `Confirmed`, none is `Past`. That is wrong"
        " while the matching is under way, and such a client knows when its last change is made. All clients run"
        " on the same machine.\n",
    ]
    plots = []
    for members, run in found.items():
        before, after, rounds = run["options"]["before"], run["options"]["after"], run["options"]["rounds"]
        head = [f"{int(members):,} members", "half know, s", "95 %, s", "99 %, s", "all, s", f"not after {after} s"]
        head += ["`Past` too early", "requests a member and minute", "of them failed", "stack, cores", "clients, cores"]
        rows = [deadline_row(side, sides, int(members), before, after) for side, sides in run["rounds"].items()]
        times = f"{rounds} deadlines a side, medians" if rounds > 1 else "One deadline a side"
        others = statistics.median(one["cores_elsewhere"] for sides in run["rounds"].values() for one in sides)
        text += [
            on(run),
            f"{times}. Requests and cores: from {before} s before the deadline to {after} s after it, without"
            f" the mails that all in circles get. What else ran on the machine took {others:.2f} cores.\n",
        ]
        text.append(table(head, rows))
        title = f"{int(members):,} members: how many know, over the seconds after the deadline"
        plots.append((title, known_lines(run, int(members))))
    stacked(plots, "performance-deadline.svg")
    text.append("![How many members know, over the seconds after the deadline](images/performance-deadline.svg)\n")
    return "\n".join(text)


def deadline_row(side: str, rounds: list[dict[str, Any]], members: int, before: int, after: int) -> list[str]:
    """Return the row of one side."""
    everyone, minutes = members * len(rounds), (before + after) / 60
    sent, failed = (sum(one["requests"][what] for one in rounds) for what in ("sent", "failed"))
    clients = statistics.median(one["cores"]["clients"] for one in rounds)
    # The mails are the same on all sides.
    parts = [{part: cores for part, cores in one["cores"].items() if part not in ("clients", "mail")} for one in rounds]
    stack = statistics.median(sum(cores.values()) for cores in parts)
    return [
        DEADLINE_SIDES[side],
        *(known_by(rounds, ceil(share * members), after) for share in (0.5, 0.95, 0.99, 1)),
        percent(everyone - sum(len(one["known_s"]) for one in rounds), everyone),
        percent(sum(one["wrong_before"] for one in rounds), everyone),
        f"{sent / everyone / minutes:.0f}",
        percent(failed, sent),
        f"{stack:.2f}",
        f"{clients:.2f}",
    ]


def known_by(rounds: list[dict[str, Any]], members: int, after: int) -> str:
    """Return the seconds after which so many members know; the median of the rounds."""
    never = float("inf")
    seconds = statistics.median_high(
        one["known_s"][members - 1] if members <= len(one["known_s"]) else never for one in rounds
    )
    return f"> {after}" if seconds == never else f"{seconds:.2f}"


def known_lines(run: dict[str, Any], members: int) -> str:
    """Draw which share of the members know, over the seconds; of each side all rounds together."""
    series = {}
    for side, rounds in run["rounds"].items():
        known = sorted(second for one in rounds for second in one["known_s"])
        share = 100 / (members * len(rounds))
        points = [(second, share * (place + 1)) for place, second in enumerate(known)]
        few = points[:: max(1, len(points) // 200)] + points[-1:]
        series[DEADLINE_SIDES[side]] = [(0.0, 0.0), *few, (float(run["options"]["after"]), few[-1][1] if few else 0.0)]
    return chart.lines(series, "s", "%")


def stacked(plots: list[tuple[str, str]], file: str) -> None:
    """Write plots of chart.py, one below the other, each with its title, into docs/images."""
    each = chart.HEIGHT + 40
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {chart.WIDTH} {each * len(plots)}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{chart.WIDTH}" height="{each * len(plots)}" fill="white"/>',
    ]
    for number, (title, plot) in enumerate(plots):
        out.append(f'<text x="12" y="{each * number + 24}" font-size="15">{title}</text>')
        out.append(f'<svg y="{each * number + 36}" width="{chart.WIDTH}" height="{chart.HEIGHT}">{plot}</svg>')
    IMAGES.joinpath(file).write_text("\n".join([*out, "</svg>", ""]), "utf-8")


def percent(part: int, whole: int) -> str:
    """Return a share."""
    return f"{100 * part / whole:.1f} %" if part else "0"


def growth(found: dict[str, Any], missed: list[str]) -> str:
    """Return what a call reads in a small and in a large database."""
    small, large = found["sides"].values()
    rows, drawn = [], []
    for name, ratio in found["ratio"].items():
        pages, times = (
            [statistics.median(side["calls"][name][key]) for side in (small, large)]
            for key in ("buffers", "milliseconds")
        )
        met = ratio["buffers"] <= found["budget"]
        if not met:
            missed.append(f"growth of {name}: {ratio['buffers']:.2f}, at most {found['budget']}")
        label = f"`{name}`" if "_" in name else name
        rows.append([label, *(f"{value:.0f}" for value in pages), f"{ratio['buffers']:.2f}",
                     *(f"{value:.2f}" for value in times), "met" if met else "**missed**"])  # fmt: skip
        if max(pages) < 500:
            drawn += [(name, {"small": pages[0]}), ("the same, large", {"large": pages[1]})]
    bars("performance-growth.svg", "Pages that one call looks at, small and large", "", drawn)
    entries = [side["rows"]["waitlist_entries"] for side in (small, large)]
    size = sum(large["bytes"].values()) / 1e9
    return "\n".join([
        f"## {found['options']['campuses']} times as large\n", on(found),
        f"One campus of 10,000 members with {entries[0]:,} entries, and {found['options']['campuses']} such campuses"
        f" with {entries[1]:,} entries ({size:.0f} GB). Pages (buffers) that one call looks at, medians of 20 members;"
        f" budget: at most {found['budget']} times.\n",
        table(["call", "small", "large", "ratio", "ms", "ms, large", ""], rows),
        "![Pages that one call looks at](images/performance-growth.svg)\n",
    ])  # fmt: skip


def others() -> str:
    """Return the one-line results of the other benches."""
    rows = []
    if found := load("join"):
        for commit, ratios in found["ratio"].items():
            for name, budget in (("limited/insert", "≥ 0.5"), ("rows/insert", "")):
                rows.append(
                    [
                        f"join, {commit} commit: {name}",
                        f"{ratios[name]['median']:.2f}",
                        budget,
                        "[11](decisions/0011-the-cost-of-a-join.md)",
                    ]
                )
    if found := load("row_security"):
        for view, one in found["views"].items():
            rows.append(
                [
                    f"policies of {view}, on/off",
                    f"{one['ratio']['transaction']:.2f}",
                    "≤ 1.2",
                    "[12](decisions/0012-one-question-for-a-members-rows.md)",
                ]
            )
    if found := load("matching"):
        for one in found["times"]:
            if one["budget"]:
                rows.append(
                    [
                        f"matching {one['people']:,} people, s",
                        f"{one['seconds']:.2f}",
                        f"≤ {one['budget']}",
                        "[matching](matching.md)",
                    ]
                )
    if found := load("restarts"):
        for side, seconds in found["seconds"].items():
            rows.append(
                [
                    f"worker killed, supervisord {side}: away at most, s",
                    f"{max(seconds):.2f}",
                    f"≤ {found['budget_s']:g}" if side == "awake" else "",
                    "[1](decisions/0001-local-stack.md)",
                ]
            )
    return "## The other benches\n\n" + table(["what", "found", "budget", "more"], rows)


def on(found: dict[str, Any]) -> str:
    """Say what a result was measured on."""
    m = found["machine"]
    hardware = f"{m['cores']} cores ({m['cpu']}, {m['memory_gb']} GB, Linux {m['kernel']})"
    return f"Measured {m['measured_at']} on {hardware}; load before: {m['load']}.\n"


def main() -> None:
    """Write the page, the plots, and what was missed."""
    missed: list[str] = []
    parts = [
        "# Performance\n\n<!-- Generated by bench/report.py from bench/results. Don't edit. -->\n",
        "Ratios, both sides in one run on one machine, alternating; the raw results are in `bench/results/`."
        " `make bench` measures all of it anew and writes this page. What was tried, and where the time goes:"
        " [decision 23](decisions/0023-the-cost-of-a-call.md).\n",
    ]
    if found := load("peers"):
        parts.append(peers(found, missed))
    if found := load("deadline"):
        parts.append(deadline(found))
    if found := load("growth"):
        parts.append(growth(found, missed))
    parts.append(others())
    PAGE.write_text("\n".join(parts), "utf-8")
    for line in missed:
        print(f"MISSED: {line}")


if __name__ == "__main__":
    main()
