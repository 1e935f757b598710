"""Play one scenario with so many members: prepare, let go, look on, check what the database has afterwards."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from circle27.errors import CircleError
from circle27.load import figures, streams
from circle27.load.deadline_rush import Rush
from circle27.load.ground import Change, Ground, Member, require_loopback
from circle27.load.objectives import objectives
from circle27.load.plan import PAST_MEMBERS, Plan
from circle27.load.pool import Pool, needed_processes
from circle27.load.samples import Sample
from circle27.load.scenarios import Scenario
from circle27.load.swarm import Swarm, Tick
from circle27.load.watch import Seen, Watch
from circle27.load.watcher import Heard
from circle27.stack import lifecycle
from circle27.stack.settings import Settings

NEWCOMERS = 3  # of day one: one in three signs in by mail first, the others have a token
LEAD_S = 5  # from the end of day one's ramp to its deadline
SETTLE_S = 2  # for the last messages


@dataclass(frozen=True)
class Choice:
    """How a run is to be played."""

    ramp: float
    duration: float
    think: float
    seed: int
    joined: int
    deadlines: int
    generators: int

    @classmethod
    def of(cls, scenario: Scenario, users: int, *, joined: int | None, **wanted: Any) -> "Choice":
        """Take what is wanted, and the scenario's own for what is None; a quarter of the members is `joined`."""
        own = {"ramp": scenario.ramp, "duration": scenario.duration, "think": scenario.think}
        given = {name: value for name, value in wanted.items() if value is not None}
        return cls(**{**own, **given}, joined=users // 4 if joined is None else joined)


@dataclass
class Played:
    """What one run was like."""

    summary: dict[str, Any]
    samples: list[Sample]
    seconds: list[Seen]
    probes: list[tuple[float, float]]
    ticks: list[Tick] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=dict)  # seconds after the deadline, one for each who knows


@dataclass
class Stage:
    """Where runs are played, and who is told how they go."""

    settings: Settings
    ground: Ground
    url: str
    say: Callable[[str], None]  # a line that stays
    tell: Callable[[str], None]  # the line of this second
    folder: Path  # for what the processes write

    def play(self, scenario: Scenario, users: int, choice: Choice) -> Played:
        """Play it; return what came out, also if Ctrl-C ended it. Raises CircleError if it can't be played."""
        played = self._rush(users, choice) if scenario.name == "deadline-rush" else self._swarm(scenario, users, choice)
        found = objectives(played.summary)
        played.summary["objectives"] = [objective.figures() for objective in found]
        played.summary["passed"] = all(objective.passed for objective in found) and not played.summary["interrupted"]
        return played

    # --- Members whom a generator plays ----------------------------------------------------------------------------

    def _swarm(self, scenario: Scenario, users: int, choice: Choice) -> Played:
        life = choice.duration + choice.ramp + 1800
        signing_in = {"login-storm": users, "day-one": users // NEWCOMERS}.get(scenario.name, 0)
        members = self.ground.prepare(users, life, fresh=signing_in)
        self.say(f"{users:,} members have tokens")
        day = self.ground.open_day()
        callers = members[: choice.joined] if scenario.name == "realtime-storm" else members
        people = [
            [member.user_id, member.token, member.email if number < signing_in else ""]
            for number, member in enumerate(callers)
        ]
        plan = Plan(
            journey=scenario.name,
            url=self.url,
            users=len(people),
            seed=choice.seed,
            ramp=choice.ramp,
            duration=choice.duration,
            think=choice.think,
            slots=day.slots,
            day=day.date,
            past=self.ground.meet(members[:PAST_MEMBERS]) if scenario.name in ("normal-usage", "soak") else "",
            service_token=self.ground.service_token(life),
            mails=str(self.settings.home / "mail" / "new") if signing_in else "",
        )
        pool = Pool(self.url, members) if scenario.streams else None
        swarm = Swarm(plan, people, max(choice.generators, needed_processes(len(people))), self.folder)
        try:
            opened = pool.open_streams() if pool else None
            if opened:
                self.say(f"{users - len(opened.errors):,} of {users:,} streams opened in {opened.seconds:.1f} s")
            swarm.spawn()
            slot = self.ground.open_slot(1 + choice.ramp + LEAD_S) if scenario.name == "day-one" else None
            more = {"slots": [slot.time_slot], "day": slot.day, "deadline": slot.deadline} if slot else {}
            watch = Watch(self.settings, {"generator": swarm.pids}, self.ground.claims(members[0]), day.date)
            with watch:
                watch.began = swarm.begin(**more)
                ticks, interrupted = self._listen(swarm, watch)
            swarm.close()
            samples = swarm.samples()
            changes = _acknowledged(samples, members)
            heard: list[list[Heard]] = []
            if pool:
                time.sleep(SETTLE_S)
                heard = pool.take()
                samples += [replace(each, at=each.at - watch.began) for each in pool.samples()]
            summary = {
                "scenario": scenario.name,
                "users": users,
                "interrupted": interrupted,
                **figures.of_samples(samples),
                **figures.of_watch(watch, [tick.lag_ms for tick in ticks], swarm.processes),
                **figures.of_drift(samples, watch.seconds),
                "lost_writes": self.ground.lost_writes(changes),
                "checked_writes": len(changes),
            }
            curves: dict[str, list[float]] = {}
            if pool and opened:
                seconds = round(opened.seconds, 1)
                summary["streams"] = {"wanted": users, "held": users - pool.lost(), "opened_in_s": seconds}
                if slot is None:
                    summary["broadcast"] = streams.broadcast(samples, watch.began, heard, summary["seconds"])
                elif not interrupted:
                    truth = self.ground.buttons(members, slot)
                    summary["deadline"], curves = streams.deadline(slot, members, heard, changes, truth)
            return Played(summary, samples, watch.seconds, watch.probes, ticks, curves)
        finally:
            swarm.close()
            if pool:
                pool.close()

    def _listen(self, swarm: Swarm, watch: Watch) -> tuple[list[Tick], bool]:
        """Say each second what it was like, until all is over; return the seconds, and whether Ctrl-C ended it."""
        ticks: list[Tick] = []
        interrupted = False
        try:
            while not swarm.over():
                time.sleep(1)
                tick = swarm.tick()
                if tick.at > 0:
                    ticks.append(tick)
                    self.tell(_line(ticks, watch.seconds))
        except KeyboardInterrupt:
            interrupted = True
            self.say("stopping: waiting for the last answers")
            swarm.stop()
        return ticks, interrupted

    # --- Members who only hold streams ------------------------------------------------------------------------------

    def _rush(self, users: int, choice: Choice) -> Played:
        members = self.ground.prepare(users)
        day = time.strftime("%Y-%m-%d", time.gmtime())
        rush = Rush(self.settings, self.ground, self.url, users, choice.joined, choice.deadlines, self.say)
        watch = Watch(
            self.settings,
            {},
            self.ground.claims(members[0]),
            day,
            lambda seen: self.tell(f"{seen.at:5.0f} s  {_load(seen)}"),
        )
        with watch:
            summary, runs = rush.play()
        samples = [replace(each, at=each.at - watch.began) for each in rush.samples]
        samples += [Sample(0, "span", "stream", 0, "", 0, "stream_lost", 0.0)] * rush.errors.count("stream lost")
        changes = _acknowledged(samples, members)
        summary |= {
            "interrupted": rush.interrupted,
            **figures.of_samples(samples),
            **figures.of_watch(watch, [], 0),
            "lost_writes": self.ground.lost_writes(changes),
            "checked_writes": len(changes),
        }
        middle = sorted(runs, key=lambda one: one.figures().get("p99_s", 0.0))[len(runs) // 2] if runs else None
        curves = {"on the list": middle.on_list_s, "watching": middle.others_s} if middle else {}
        return Played(summary, samples, watch.seconds, watch.probes, [], curves)


@contextmanager
def on_stage(settings: Settings, url: str, say: Callable[[str], None], tell: Callable[[str], None]) -> Iterator[Stage]:
    """Give the stage of a local stack. Raises CircleError if the stack is not ready, or not on this machine."""
    require_loopback(settings.url("gateway"))
    if not lifecycle.ready(settings):
        raise CircleError("the stack is not ready. Start it: circle27 up")
    with (
        tempfile.TemporaryDirectory(prefix="circle27-load-") as work,
        psycopg.connect(settings.dsn("circle27_migrator"), autocommit=True) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        yield Stage(settings, Ground(settings, connection), url, say, tell, Path(work))


def _acknowledged(samples: Sequence[Sample], members: Sequence[Member]) -> list[Change]:
    """Return the last change of each member and slot that was answered with 200."""
    last: dict[tuple[int, str], Sample] = {}
    for sample in samples:
        if sample.version and sample.name in ("join", "leave"):
            known = last.get((sample.member, sample.slot))
            if known is None or known.version <= sample.version:
                last[sample.member, sample.slot] = sample
    return [
        Change(members[number].user_id, slot, sample.name == "join", sample.version)
        for (number, slot), sample in last.items()
    ]


def _line(ticks: list[Tick], seconds: list[Seen]) -> str:
    tick, before = ticks[-1], ticks[-2].done if len(ticks) > 1 else 0
    said = f"{tick.at:5.0f} s  {tick.users:6,} users  {tick.done:8,} requests  {tick.done - before:5,}/s"
    said += f"  p95 {tick.p95_ms:6.0f} ms  {tick.errors:,} errors"
    return f"{said}  {_load(seconds[-1])}" if seconds else said


def _load(seen: Seen) -> str:
    return f"{sum(seen.cores.values()):.1f} cores  pool {seen.busy} busy, {seen.waiting} waiting"
