"""`circle27 load tune`: try settings of the pools on the running stack, one after the other, and keep what is better.

A closed loop: so many members call without thinking, so throughput and time tell the same story, and a setting that
serves more a second is better. Sides alternate; a setting replaces the one before only where it clearly wins.
"""

import re
import statistics
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from circle27.load import figures
from circle27.load.ground import Day, Member
from circle27.load.plan import Plan
from circle27.load.play import Stage
from circle27.load.samples import COME_AGAIN, Sample
from circle27.load.swarm import Swarm
from circle27.stack import lifecycle, programs
from circle27.stack.render import render
from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor, wait_until

WARM_S = 3.0  # at the beginning of each run, not counted: new connections have plans to make
BETTER = 1.03  # by so much a setting must win, and each of its rounds over each of the other's; less is noise
WORSE = 1.25  # and its p99 may be longer by no more
NEAR = 0.95  # of the most that was served: the knee is where this is reached with the fewest clients


@dataclass(frozen=True)
class Knob:
    """One setting that is tried: its name in Settings, what it does, and the values."""

    name: str
    text: str
    values: tuple[int, ...]


KNOBS = (
    Knob("pool_size", "PgBouncer's connections to PostgreSQL", (5, 10, 20, 40)),
    Knob("rest_pool", "connections of each PostgREST to PgBouncer", (5, 10, 20)),
    Knob("rest_instances", "PostgREST that the gateway uses", (1, 2)),
    Knob("rest_keepalive", "idle connections that the gateway keeps to PostgREST", (16, 64, 256)),
    Knob("reserve_pool_size", "PgBouncer's reserve for who has waited a second", (0, 5)),
)
PATIENCE = Knob("query_wait_timeout", "seconds for which a query waits in PgBouncer, with the crowd", (2, 5))
PREPARED = Knob("prepared_statements", "prepared statements that PgBouncer keeps apart (1.21 or newer)", (0, 100))
NAMES = tuple(knob.name for knob in (*KNOBS, PREPARED, PATIENCE))


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


@dataclass
class Tuner:
    """One sweep over a running stack."""

    stage: Stage
    members: Sequence[Member]
    day: Day
    seconds: float
    rounds: int
    clients: int
    crowd: int

    def __post_init__(self) -> None:
        self.before = self.stage.settings
        self.now = self.before

    # --- Measuring --------------------------------------------------------------------------------------------------

    def burden(self, clients: int, seconds: float) -> list[Sample]:
        """Let so many members call without thinking; return what they were answered."""
        plan = Plan(
            journey="tune",
            url=self.stage.url,
            users=clients,
            seed=1,
            ramp=0,
            duration=seconds + WARM_S,
            think=0,
            slots=self.day.slots,
            day=self.day.date,
        )
        people = [[member.user_id, member.token, member.email] for member in self.members[:clients]]
        swarm = Swarm(plan, people, 1, self.stage.folder)
        try:
            swarm.spawn()
            swarm.begin()
            wait_until(swarm.over, seconds + 90, "the members of the load run did not end")
        finally:
            swarm.close()
        return swarm.samples()

    def measure(self, point: Point) -> None:
        """Measure once more with the settings of now."""
        samples = [sample for sample in self.burden(point.clients, self.seconds) if sample.at >= WARM_S]
        found = figures.of_samples(samples)
        point.rps.append(found["throughput_rps"])
        point.p50_ms.append(found["p50_ms"] or 0.0)
        point.p99_ms.append(found["p99_ms"] or 0.0)
        point.errors += found["errors"]

    def compare(self, labelled: dict[str, Settings], clients: int) -> list[Point]:
        """Measure these settings in turns, forth and back."""
        points = {label: Point(label, clients) for label in labelled}
        for number in range(self.rounds):
            for label in sorted(labelled, key=list(labelled).index, reverse=bool(number % 2)):
                self.set_up(labelled[label])
                self.measure(points[label])
                self.stage.say(f"  {label:40} {points[label].rps[-1]:7.0f}/s  p99 {points[label].p99_ms[-1]:6.0f} ms")
        return list(points.values())

    # --- Setting up -------------------------------------------------------------------------------------------------

    def set_up(self, settings: Settings) -> None:
        """Let the running stack have these settings: reload what can reload, restart what can't."""
        if settings == self.now:
            return
        changed = render(settings)
        supervisor = Supervisor(settings)
        for name in changed:
            for service in lifecycle.READERS.get(name, ()):
                if service.startswith("postgrest"):
                    supervisor.restart(service)
                else:
                    supervisor.signal(service, "HUP")
        self.now = settings
        wait_until(lambda: all(answers(settings, name) for name in settings.postgrest_services()), 30, "no answer")
        wait_until(lambda: lifecycle.ready(settings), 30, "the gateway did not become ready")

    # --- The sweep --------------------------------------------------------------------------------------------------

    def sweep(self) -> tuple[Settings, list[dict[str, Any]]]:
        """Turn one knob after the other; return the best settings, and what was measured."""
        best = self.before
        table: list[dict[str, Any]] = []
        for knob in [*KNOBS, *([PREPARED] if keeps_statements_apart() else []), PATIENCE]:
            self.stage.say(f"{knob.text}")
            today = getattr(best, knob.name)
            values = sorted({*knob.values, today})
            labelled = {f"{knob.name} = {value}": replace(best, **{knob.name: value}) for value in values}
            points = self.compare(labelled, self.crowd if knob is PATIENCE else self.clients)
            chosen = choose(points, values.index(today))
            best = replace(best, **{knob.name: values[chosen]})
            table += [
                {**point.figures(), "knob": knob.name, "value": value, "chosen": number == chosen, "text": knob.text}
                for number, (point, value) in enumerate(zip(points, values, strict=True))
            ]
        return best, table

    def finish(self, best: Settings) -> tuple[Settings, list[Point]]:
        """Compare the settings of before, the best of the sweep, and no pooler; return which to have, and all three."""
        self.stage.say("the settings of before, the best, and PostgREST without PgBouncer")
        points = self.compare(
            {
                "before": self.before,
                "best of the sweep": best,
                "without PgBouncer": replace(best, pooled=False),
            },
            self.clients,
        )
        winner = (self.before, best)[choose(points[:2], 0)]
        self.set_up(winner)
        return winner, points

    def knee(self, ladder: Sequence[int]) -> list[Point]:
        """Measure with more and more clients."""
        self.stage.say("with more and more clients")
        points = []
        for clients in ladder:
            points.append(Point(f"{clients} clients", clients))
            self.measure(points[-1])
            self.stage.say(f"  {clients:6,} clients  {points[-1].rps[-1]:7.0f}/s  p99 {points[-1].p99_ms[-1]:6.0f} ms")
        return points

    def overload(self) -> dict[str, Any]:
        """Let ten times the clients come, and look whether the others are served as before, once they have gone."""
        few, many = self.crowd // 10, self.crowd
        self.stage.say(f"{few:,} clients, then {many:,}, then {few:,} again")
        found = {}
        for label, clients in {"before": few, "overload": many, "after": few}.items():
            samples = self.burden(clients, self.seconds)
            of = figures.of_samples(samples)
            shed = [sample for sample in samples if sample.status in COME_AGAIN]
            found[label] = {
                "clients": clients,
                **{key: of[key] for key in ("requests", "throughput_rps", "p50_ms", "p95_ms", "p99_ms")},
                "shed": len(shed),
                "errors_by_slug": of["errors_by_slug"],
                # What failed in another way, or without slug or Retry-After.
                "unclear": sum(
                    bool(sample.slug) and (sample.status not in COME_AGAIN or "without" in sample.slug)
                    for sample in samples
                ),
            }
            self.stage.say(
                f"  {label:9} {of['throughput_rps']:7.0f}/s well  p95 {of['p95_ms'] or 0:7.0f} ms  "
                f"{len(shed):6,} turned away"
            )
        return found


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


def keeps_statements_apart() -> bool:
    """Tell whether this PgBouncer is new enough for prepared statements in transaction mode."""
    with suppress(OSError, subprocess.CalledProcessError):
        said = subprocess.run(
            [str(programs.program("pgbouncer")), "--version"], text=True, capture_output=True, check=True
        ).stdout
        if found := re.search(r"PgBouncer (\d+)\.(\d+)", said):
            return (int(found[1]), int(found[2])) >= (1, 21)
    return False


def answers(settings: Settings, service: str) -> bool:
    """Tell whether a PostgREST has read the schema, and reaches the database."""
    try:
        return httpx.get(f"{settings.url(service)}/rpc/ready", timeout=3).status_code == 200
    except httpx.HTTPError:
        return False
