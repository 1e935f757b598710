"""A running stack with other settings: let it have them, let members call without thinking, measure what they see.

A closed loop: throughput and time tell the same story, and a setting that serves more a second is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from circle27.load import figures
from circle27.load.ground import Day, Member
from circle27.load.plan import Plan
from circle27.load.play import Stage
from circle27.load.points import Point
from circle27.load.samples import Sample
from circle27.load.swarm import Swarm
from circle27.stack import lifecycle
from circle27.stack.render import render
from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor, wait_until

WARM_S = 3.0  # at the beginning of each run, not counted: new connections have plans to make


@dataclass
class Trials:
    """Measurements on one stack, one after the other."""

    stage: Stage
    members: Sequence[Member]
    day: Day
    seconds: float
    rounds: int

    def __post_init__(self) -> None:
        self.before = self.now = self.stage.settings
        self.say = self.stage.say

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
                self.say(f"  {label:40} {points[label].rps[-1]:7.0f}/s  p99 {points[label].p99_ms[-1]:6.0f} ms")
        return list(points.values())

    def set_up(self, settings: Settings) -> None:
        """Let the running stack have these settings: reload what can reload, restart what can't."""
        if settings == self.now:
            return
        self.now = settings  # from here on: half of it may be true already when this breaks off
        changed = render(settings)
        supervisor = Supervisor(settings)
        for name in changed:
            for service in lifecycle.READERS.get(name, ()):
                if service.startswith("postgrest"):
                    supervisor.restart(service)
                else:
                    supervisor.signal(service, "HUP")
        wait_until(lambda: all(answers(settings, name) for name in settings.postgrest_services()), 30, "no answer")
        wait_until(lambda: lifecycle.ready(settings), 30, "the gateway did not become ready")


def answers(settings: Settings, service: str) -> bool:
    """Tell whether a PostgREST has read the schema, and reaches the database."""
    try:
        return httpx.get(f"{settings.url(service)}/rpc/ready", timeout=3).status_code == 200
    except httpx.HTTPError:
        return False
