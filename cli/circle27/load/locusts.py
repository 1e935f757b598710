"""A process that plays members: `python -m circle27.load.locusts`. Started by swarm.py, for it patches sockets.

Standard input, a line each: a plan; what lets it begin (JSON, too); `stop`, if it shall end sooner than planned.
Standard output: JSON, a line a second. Locust runs the users, one greenlet each; alone, or as a worker of locust's
master, which is such a process, too.
"""

import locust  # noqa: I001  first: it lets gevent replace sockets and sleeping, in this process alone

import json
import sys
import time
from typing import Any

import gevent
from gevent.fileobject import FileObjectPosix
from locust.env import Environment
from locust.runners import MasterRunner, Runner

from circle27.load.journeys import JOURNEYS, Journey, Run
from circle27.load.plan import Plan
from circle27.load.pool import open_all_files
from circle27.load.samples import Sample, row, slug_of, version_of

TICK_S = 0.05  # how often the lateness of this process is measured


class Recorder:
    """Writes down each request, and counts for the line of this second."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.file = open(run.plan.samples, "w", encoding="utf-8", buffering=1 << 20)  # noqa: SIM115, PTH123
        self.done = self.errors = 0
        self.recent: list[float] = []
        self.lag = 0.0

    def request(
        self, *, response_time: float, response: Any, exception: Any, start_time: float, context: Any, **_: Any
    ) -> None:
        """Be told of a request by locust."""
        status = response.status_code or 0
        content, headers = response.content or b"", response.headers or {}
        self.write(
            Sample(
                at=start_time - self.run.plan.began,
                kind="request",
                name=context["name"],
                member=context["member"],
                slot=context["slot"],
                status=status,
                slug=slug_of(status, content, exception, headers.get("retry-after")),
                ms=response_time,
                version=version_of(content) if status == 200 and context["slot"] else 0,
            )
        )
        self.recent.append(response_time)

    def write(self, sample: Sample) -> None:
        """Write one sample down."""
        self.file.write(row(sample))
        self.done += sample.kind == "request"
        self.errors += bool(sample.slug)

    def say(self, users: int) -> None:
        """Print what this second was like."""
        ordered = sorted(self.recent)
        p95 = ordered[int(0.95 * len(ordered))] if ordered else 0.0
        tell({"users": users, "done": self.done, "errors": self.errors, "p95_ms": p95, "lag_ms": self.lag * 1000})
        self.recent, self.lag = [], 0.0
        self.file.flush()


def main() -> None:
    """Play the plan."""
    open_all_files()
    orders = FileObjectPosix(sys.stdin.fileno(), "rb", closefd=False)
    plan = Plan.read(orders.readline())
    run = Run(plan)
    Journey.host = plan.url
    environment = Environment(user_classes=[JOURNEYS[plan.journey]])
    if plan.master and not plan.members:
        _lead(environment.create_master_runner(*plan.master), orders, plan.users)
        return
    runner: Runner = (
        environment.create_worker_runner(*plan.master) if plan.master else environment.create_local_runner()
    )
    spawned, requests = environment.events.spawning_complete, environment.events.request
    spawned.add_listener(lambda **_: tell({"spawned": True}))  # type: ignore[no-untyped-call]
    recorder = Recorder(run)
    run.write = recorder.write
    Journey.run_of_this_process = run
    requests.add_listener(recorder.request)  # type: ignore[no-untyped-call]
    tell({"ready": True})
    if not plan.master:
        runner.start(len(plan.members), spawn_rate=max(1, len(plan.members)))
    gevent.spawn(_obey, orders, run)
    run.gate.wait()
    gevent.spawn(_measure_lag, recorder)
    gevent.spawn(_say_each_second, recorder, runner)
    run.wait_for_everyone(len(plan.members))
    runner.quit()
    recorder.say(0)
    recorder.file.close()
    tell({"over": True})


def _lead(runner: MasterRunner, orders: FileObjectPosix, users: int) -> None:
    """Be the master: start all users when told (the workers are there by then), end when told."""
    tell({"ready": True})
    orders.readline()
    runner.start(users, spawn_rate=users)
    orders.readline()
    runner.quit()
    tell({"over": True})


def _obey(orders: FileObjectPosix, run: Run) -> None:
    while order := orders.readline():
        if order == b"stop\n":
            break
        run.begin(run.plan.going(order))
    run.stop()  # told so, or nobody is there any more


def _measure_lag(recorder: Recorder) -> None:
    while True:
        before = time.monotonic()
        gevent.sleep(TICK_S)
        recorder.lag = max(recorder.lag, time.monotonic() - before - TICK_S)


def _say_each_second(recorder: Recorder, runner: Runner) -> None:
    while True:
        gevent.sleep(1)
        recorder.say(runner.user_count)


def tell(what: dict[str, Any]) -> None:
    """Print one line for the process that started this one."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    assert locust
    main()
