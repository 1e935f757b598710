"""The report as one page that needs nothing else: what was tried, whether it held, where the time went."""

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from circle27.load import chart
from circle27.load.objectives import measured
from circle27.load.play import Played
from circle27.load.samples import percentile
from circle27.load.scenarios import Scenario

TEMPLATES = Environment(
    loader=PackageLoader(__package__, "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
BINS = 120  # at most so many points in a plot over time
PARTS = ("PostgreSQL", "PostgREST", "PgBouncer", "nginx", "worker", "mail", "generator", "this command")


@dataclass(frozen=True)
class Plot:
    """A plot and what it says."""

    title: str
    caption: str
    svg: Markup


def page(scenario: Scenario, played: Sequence[Played], summary: dict[str, Any]) -> str:
    """Return the page of these runs."""
    last = played[-1]
    rungs = [run.summary for run in played] if len(played) > 1 else []
    return TEMPLATES.get_template("page.html").render(
        title=f"{scenario.name}: {_people(summary, rungs)} on {summary['facts']['cores']} cores",
        about=scenario.about,
        verdict=_verdict(summary),
        remarks=_remarks(summary),
        summary=summary,
        rungs=rungs,
        ladder_caption=_ladder_caption(summary),
        ladder_plot=_ladder_plot(rungs) if rungs else "",
        plots=_plots(last),
        conditions=_conditions(summary),
        ms=_time,
        share=lambda rung: f"{100 * rung['errors'] / rung['requests']:.2f} %" if rung["requests"] else "-",
        measured=measured,
    )


def _time(ms: float | None) -> str:
    if ms is None:
        return "-"
    return f"{ms / 1000:.1f} s" if ms >= 10_000 else f"{ms:,.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def _people(summary: dict[str, Any], rungs: Sequence[dict[str, Any]]) -> str:
    return f"{rungs[0]['users']:,} to {rungs[-1]['users']:,} members" if rungs else f"{summary['users']:,} members"


def _verdict(summary: dict[str, Any]) -> str:
    if "ladder" not in summary:
        return (
            f"It did not hold: {missed}." if (missed := _missed(summary)) else "It held: every objective was reached."
        )
    broken = next((rung for rung in summary["ladder"] if not rung["passed"]), None)
    if broken is None:
        return "It held at every step."
    held = [rung["users"] for rung in summary["ladder"] if rung["users"] < broken["users"]]
    until = f"It held with {max(held):,} members, and no more with" if held else "It broke with"
    return f"{until} {broken['users']:,}: {_missed(broken)}."


def _missed(summary: dict[str, Any]) -> str:
    missed = [objective for objective in summary["objectives"] if not objective["passed"]]
    return "; ".join(f"{objective['text']} {measured(objective)}" for objective in missed)


def _remarks(summary: dict[str, Any]) -> list[str]:
    facts, generator = summary["facts"], summary["generator"]
    of_last = f"The last run, with {summary['users']:,} members: " if "ladder" in summary else ""
    said = [
        f"{of_last}{summary['requests']:,} requests in {summary['seconds']:.0f} s: "
        f"{summary['throughput_rps']:,.0f} a second, {summary['errors']:,} errors. "
        f"{summary['checked_writes']:,} acknowledged changes were looked up in the database afterwards; "
        f"{summary['lost_writes'] or 'none'} were missing."
    ]
    if summary["interrupted"]:
        said.insert(0, "The run was interrupted by Ctrl-C: this is what was seen until then.")
    if summary["generator_limited"]:
        why = (
            "All cores were busy, and it shares them: with a generator elsewhere these times are shorter."
            if summary["busiest_cores"] > 0.8 * facts["cores"]
            else "The stack may carry more than this shows: try --generators 2."
        )
        said.append(
            f"The generator was the limit: a process of it used {generator['busiest_cores']:.2f} of a core and came "
            f"{generator['late_ms']:.0f} ms late to its own work. {why}"
        )
    elif generator["processes"]:
        said.append(
            f"The generator was not the limit: it used at most {generator['busiest_cores']:.2f} of a core and came "
            f"{generator['late_ms']:.0f} ms late to its own work. It ran on this machine, and is part of its load."
        )
    if "streams" in summary:
        streams = summary["streams"]
        said.append(
            f"{streams['held']:,} of {streams['wanted']:,} streams were held until the end. Here a process may "
            f"open {facts['open_files_a_process']:,} files: nginx's two workers carry twice that, less what calls need."
        )
    if "broadcast" in summary and summary["broadcast"]["changes"]:
        heard = summary["broadcast"]
        said.append(
            f"{heard['changes']:,} changes were told to their members' own streams, half within {heard['p50_s']:.3f} s "
            f"of the tap, the slowest within {heard['max_s']:.3f} s. {heard['messages']:,} messages went out, "
            f"{heard['messages_per_second']:,.0f} a second."
        )
    if "drift" in summary:
        drift = summary["drift"]
        grown = ", ".join(f"{part} {mb[0]:,} to {mb[1]:,} MB" for part, mb in drift["memory_mb"].items() if mb[1] >= 5)
        said.append(
            f"Drift: p95 was {drift['first_quarter']['p95_ms']} ms in the first quarter and "
            f"{drift['last_quarter']['p95_ms']} ms in the last. Memory after the first quarter and at the end: {grown}."
        )
    if not facts["rate_limits"]:
        said.append(
            "Rate limits were off (CIRCLE27_RATE_LIMITS=off): with them one address could not be this many people."
        )
    return said


def _ladder_caption(summary: dict[str, Any]) -> str:
    return (
        "Each point is a run of its own. Both scales are logarithmic. The line of p95 must stay below the dashed one."
    )


def _ladder_plot(rungs: Sequence[dict[str, Any]]) -> Markup:
    series = {
        f"p{share} of the answers": [(rung["users"], rung[f"p{share}_ms"]) for rung in rungs if rung[f"p{share}_ms"]]
        for share in (50, 95, 99)
    }
    svg = chart.lines(series, "", "ms", limit=("p95: 800 ms", 800), at=[rung["users"] for rung in rungs])
    return Markup(svg)


def _plots(run: Played) -> list[Plot]:
    plots = []
    if run.curves:
        every = sorted(second for curve in run.curves.values() for second in curve)
        plots.append(
            _plot(
                f"After the deadline: everyone who knows the new button knew it within {every[-1]:.2f} s",
                "How many of them know it so many seconds after the deadline, by the database's clock.",
                chart.shares(run.curves, "s"),
            )
        )
    requests = [sample for sample in run.samples if sample.kind == "request"]
    if requests:
        plots += _over_time(run)
    if run.seconds:
        plots += _of_the_stack(run)
    return plots


def _over_time(run: Played) -> list[Plot]:
    requests = [sample for sample in run.samples if sample.kind == "request"]
    first = min(sample.at for sample in requests)
    width = max(1.0, (max(sample.at for sample in requests) - first) / BINS)
    bins: dict[int, list[float]] = defaultdict(list)
    for sample in requests:
        bins[int((sample.at - first) / width)].append(sample.ms)
    times = sorted(bins)
    latency = {
        f"p{share}": [(at * width, percentile(bins[at], share / 100) or 0.0) for at in times] for share in (50, 95, 99)
    }
    sent = {"sent": [(at * width, len(bins.get(at, [])) / width) for at in range(times[-1] + 1)]}
    ended: Counter[int] = Counter(
        int((sample.at + sample.ms / 1000 - first) / width) for sample in requests if not sample.slug
    )
    sent["answered well"] = [(at * width, ended[at] / width) for at in range(max(ended, default=0) + 1)]
    p50, p95 = _time(run.summary["p50_ms"]), _time(run.summary["p95_ms"])
    plots = [
        _plot(
            f"How long answers took: half came within {p50}, 95 of 100 within {p95}",
            "By the second in which a request was sent. A line that climbs means that more comes than can be answered.",
            chart.lines(latency, "s", "ms", limit=("p95: 800 ms", 800) if run.summary["p95_ms"] > 300 else None),
        ),
        _plot(
            f"How much was answered: {run.summary['throughput_rps']:,.0f} requests a second",
            "Where “answered well” lies below “sent”, a queue grows or requests are turned away.",
            chart.lines(sent, "s", "/s"),
        ),
    ]
    if run.summary["errors"]:
        slugs = [slug for slug, _ in Counter(sample.slug for sample in run.samples if sample.slug).most_common(8)]
        counted = Counter((sample.slug, int((sample.at - first) / width)) for sample in run.samples if sample.slug)
        series = {slug: [(at * width, counted[slug, at] / width) for at in range(times[-1] + 1)] for slug in slugs}
        plots.append(_plot("What failed, and when", "Errors a second, by slug.", chart.lines(series, "s", "/s")))
    return plots


def _of_the_stack(run: Played) -> list[Plot]:
    seconds = run.seconds[:: max(1, len(run.seconds) // BINS)]
    pool = {
        "busy connections to PostgreSQL": [(seen.at, float(seen.busy)) for seen in seconds],
        "waiting clients": [(seen.at, float(seen.waiting)) for seen in seconds],
    }
    parts = [part for part in PARTS if any(seen.cores.get(part, 0.0) > 0.005 for seen in seconds)]
    cores = {part: [(seen.at, seen.cores.get(part, 0.0)) for seen in seconds] for part in parts}
    waiting = run.summary["pool"]["most_waiting"]
    cpus = os.cpu_count() or 1
    queries = {
        "our own query, asked five times a second": _binned(run.probes),
        "mean wait for a connection, as PgBouncer counts it": [(seen.at, seen.wait_ms) for seen in seconds],
    }
    plots = [
        _plot(
            f"PgBouncer's pool: at most {run.summary['pool']['most_busy']} busy, {waiting or 'nobody'} waiting",
            "Waiting clients are no harm while they come and go; if they grow, the database is the limit.",
            chart.lines(pool, "s", ""),
        ),
        _plot(
            "Processor time, by process",
            f"One upon the other. This machine has {cpus} cores; what is missing was idle, or somebody else's.",
            chart.areas(cores, "s", "cores", limit=("all cores", float(cpus))),
        ),
        _plot(
            "How fast the database answered",
            "A member's day, asked straight at PostgreSQL as PostgREST asks it; and how long PostgREST waited to ask.",
            chart.lines(queries, "s", "ms"),
        ),
    ]
    memory = [seen for seen in run.seconds if seen.memory_mb]
    if len(memory) >= 6:
        held = {part: [(seen.at, seen.memory_mb.get(part, 0.0)) for seen in memory] for part in parts}
        plots.append(
            _plot(
                "Memory, by process",
                "What several processes share is divided among them. What climbs to the end leaks, or fills a cache.",
                chart.lines(held, "s", "MB"),
            )
        )
    return plots


def _binned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, len(points) // BINS)
    groups = [points[at : at + step] for at in range(0, len(points), step)]
    return [(group[0][0], max(value for _, value in group)) for group in groups]


def _plot(title: str, caption: str, svg: str) -> Plot:
    return Plot(title, caption, Markup(svg))


def _conditions(summary: dict[str, Any]) -> list[tuple[str, str]]:
    facts = summary["facts"]
    options = ", ".join(f"{name} {value:g}" for name, value in facts["options"].items())
    return [
        (
            "machine",
            f"{facts['cores']} cores, {facts['memory_gb']} GB, Linux {facts['kernel']}, the generator on it, too",
        ),
        ("rate limits", "on" if facts["rate_limits"] else "off"),
        ("open files a process may have", f"{facts['open_files_a_process']:,}"),
        ("pool", f"{facts['pool_size']} connections to PostgreSQL, {facts['postgrest']} PostgREST"),
        ("PostgreSQL", facts["postgresql"]),
        ("options", options),
    ]
