"""`circle27 load tune`: try settings of the pools on the running stack, one after the other, and keep what is better.

Sides alternate; a setting replaces the one before only where it clearly wins.
"""

import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from circle27.load import figures
from circle27.load.play import Stage
from circle27.load.points import Point, choose, knee_of
from circle27.load.samples import COME_AGAIN
from circle27.load.trials import Trials
from circle27.stack import programs
from circle27.stack.settings import Settings

LADDER = (2, 4, 8, 16, 32, 64, 128, 256)  # clients, on the way to the knee


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


def tune(stage: Stage, *, seconds: float, rounds: int, clients: int, crowd: int, apply_it: bool) -> dict[str, Any]:
    """Look for the best settings; return what tune.json says.

    In the end, however it comes, the stack has the settings of before; with `apply_it` those that are recommended,
    from now on.
    """
    members = stage.ground.prepare(max(clients, crowd, LADDER[-1]))
    trials = Trials(stage, members, stage.ground.open_day(), seconds, rounds)
    tuner = Tuner(trials, clients, crowd)
    try:
        best, table = tuner.sweep()
        winner, final = tuner.finish(best)
        ladder = tuner.knee(LADDER)
        overload = tuner.overload()
    except BaseException:
        trials.set_up(trials.before)
        raise
    trials.set_up(winner if apply_it else trials.before)
    if apply_it:
        winner.save()
    return {
        "before": {name: getattr(trials.before, name) for name in NAMES},
        "recommended": {name: getattr(winner, name) for name in NAMES},
        "applied": apply_it,
        "seconds": seconds,
        "rounds": rounds,
        "final": [point.figures() for point in final],
        "knee": knee_of(ladder).figures(),
        "ladder": [point.figures() for point in ladder],
        "overload": overload,
        "table": table,
    }


@dataclass(frozen=True)
class Tuner:
    """What is tried, in which order."""

    trials: Trials
    clients: int
    crowd: int

    def sweep(self) -> tuple[Settings, list[dict[str, Any]]]:
        """Turn one knob after the other; return the best settings, and what was measured."""
        best = self.trials.before
        table: list[dict[str, Any]] = []
        for knob in [*KNOBS, *([PREPARED] if keeps_statements_apart() else []), PATIENCE]:
            self.trials.say(knob.text)
            today = getattr(best, knob.name)
            values = sorted({*knob.values, today})
            labelled = {f"{knob.name} = {value}": replace(best, **{knob.name: value}) for value in values}
            points = self.trials.compare(labelled, self.crowd if knob is PATIENCE else self.clients)
            chosen = choose(points, values.index(today))
            best = replace(best, **{knob.name: values[chosen]})
            table += [
                {**point.figures(), "knob": knob.name, "value": value, "chosen": number == chosen, "text": knob.text}
                for number, (point, value) in enumerate(zip(points, values, strict=True))
            ]
        return best, table

    def finish(self, best: Settings) -> tuple[Settings, list[Point]]:
        """Compare the settings of before, the best of the sweep, and no pooler; return which to have, and all three."""
        self.trials.say("the settings of before, the best, and PostgREST without PgBouncer")
        points = self.trials.compare(
            {
                "before": self.trials.before,
                "best of the sweep": best,
                "without PgBouncer": replace(best, pooled=False),
            },
            self.clients,
        )
        winner = (self.trials.before, best)[choose(points[:2], 0)]
        self.trials.set_up(winner)
        return winner, points

    def knee(self, ladder: Sequence[int]) -> list[Point]:
        """Measure with more and more clients."""
        self.trials.say("with more and more clients")
        points = []
        for clients in ladder:
            points.append(Point(f"{clients} clients", clients))
            self.trials.measure(points[-1])
            self.trials.say(f"  {clients:6,} clients  {points[-1].rps[-1]:7.0f}/s  p99 {points[-1].p99_ms[-1]:6.0f} ms")
        return points

    def overload(self) -> dict[str, Any]:
        """Let ten times the clients come, and look whether the others are served as before, once they have gone."""
        few, many = self.crowd // 10, self.crowd
        self.trials.say(f"{few:,} clients, then {many:,}, then {few:,} again")
        found = {}
        for label, clients in {"before": few, "overload": many, "after": few}.items():
            samples = self.trials.burden(clients, self.trials.seconds)
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
            self.trials.say(
                f"  {label:9} {of['throughput_rps']:7.0f}/s well  p95 {of['p95_ms'] or 0:7.0f} ms  "
                f"{len(shed):6,} turned away"
            )
        return found


def keeps_statements_apart() -> bool:
    """Tell whether this PgBouncer is new enough for prepared statements in transaction mode."""
    with suppress(OSError, subprocess.CalledProcessError):
        said = subprocess.run(
            [str(programs.program("pgbouncer")), "--version"], text=True, capture_output=True, check=True
        ).stdout
        if found := re.search(r"PgBouncer (\d+)\.(\d+)", said):
            return (int(found[1]), int(found[2])) >= (1, 21)
    return False
