"""The deadline, as it comes to members who hold streams and to members who poll.

    .venv/bin/python -m bench.deadline.run [--members 500] [--rounds 3] [--after 15]

Needs the extras `bench` and `load` (`.venv/bin/pip install -e '.[bench,load]'`) and a running stack without rate limits
(`CIRCLE27_RATE_LIMITS=off make up`). All members are on the list of one slot; its deadline comes. How long after it
does each of them know whether they are in a circle? Four sides, alternating; which comes first does, too:

  streams      a held stream each; who hears the message `button` of the matched slot knows
  polling      get_button_states every ten seconds; who reads a matched slot knows (before that it says `pending`)
  fastapi      the same polls, answered by the FastAPI peer behind its own gateway and PgBouncer (bench/peers)
  nine_reads   the seed's way: every ten seconds nine reads as service_role. The client decides: after the deadline a
               row of a circle is `confirmed`, none is `past`, which may be too early. It knows at its last change

Polls begin at random moments of the ten seconds, and again at once where one took longer. What a client shows at last
is compared with the database: who is wrong, or saw nothing until `--after` seconds, counts as not knowing. In the same
seconds, and BEFORE_S before, requests are counted, and the processor time of the stack and of the clients (which run on
the same machine). Writes bench/results/deadline.json, which keeps one run for each number of members.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.machine import machine
from bench.options import parse
from bench.peers import stack
from circle27.load.deadline_rush import POLLING_S, final_message, spread
from circle27.load.ground import CAMPUS, Ground, Member, Slot
from circle27.load.machine import TICKS, Machine
from circle27.load.plan import Plan
from circle27.load.pool import Pool
from circle27.load.swarm import Swarm
from circle27.stack.settings import SUPERUSER, Settings
from circle27.stack.supervision import wait_until

RESULTS = Path(__file__).parents[1] / "results" / "deadline.json"
SIDES = ("streams", "polling", "fastapi", "nine_reads")
BEFORE_S = 5  # of the seconds that are looked at, so many lie before the deadline
SETTLE_S = POLLING_S + 3  # before these: everyone connects and polls for the first time
PLAYERS = "bench.deadline.players"
# What a member saw after the deadline: when (seconds after it), which state.
Seen = list[tuple[float, str]]


class Streams:
    """Members who hold streams."""

    def __init__(self, url: str, members: Sequence[Member]) -> None:
        self._pool = Pool(url, members)
        self.pids, self.close = self._pool.pids, self._pool.close
        if errors := self._pool.open_streams().errors:
            raise SystemExit(f"{len(errors)} streams did not open: {errors[0]}")

    def begin(self, slots: Sequence[Slot]) -> None:
        """Forget what was heard until now."""
        self._slot = slots[0]
        self._pool.take()

    def end(self, began: float) -> tuple[list[Seen], dict[str, int]]:
        """Return what each member saw, and how many requests were sent since then: none."""
        said = [final_message(heard, self._slot, on_list=True) for heard in self._pool.take()]
        return [
            [(message.at - self._slot.deadline, message.payload["buttonState"])] if message else [] for message in said
        ], {"sent": 0, "failed": 0}


class Pollers:
    """Members who poll."""

    def __init__(self, journey: str, url: str, members: Sequence[Member], token: str, folder: Path) -> None:
        people = [[member.user_id, member.token, member.email] for member in members]
        self._members = len(people)
        plan = Plan(journey, url, len(people), 1, 0, 0, POLLING_S, [], "", service_token=token)
        self._swarm = Swarm(plan, people, 1, folder, PLAYERS)
        self.pids, self.close = self._swarm.pids, self._swarm.close
        self._swarm.spawn()

    def begin(self, slots: Sequence[Slot]) -> None:
        """Let them poll."""
        self._slot = slots[0]
        times = [slot.time_slot for slot in slots]
        self._swarm.begin(slots=times, day=self._slot.day, deadline=self._slot.deadline)

    def end(self, began: float) -> tuple[list[Seen], dict[str, int]]:
        """Return what each member saw, and how many requests were sent since then, until now."""
        ended = time.time()
        self._swarm.stop()
        self._swarm.close()
        seen: list[Seen] = [[] for _ in range(self._members)]
        sent = failed = 0
        for sample in self._swarm.samples():
            if sample.kind == "request" and began <= self._swarm.began + sample.at < ended:
                sent += 1
                failed += bool(sample.slug)
            elif sample.name in ("confirmed", "past"):
                seen[sample.member].append((sample.ms / 1000, sample.name))
        return seen, {"sent": sent, "failed": failed}


class Bench:
    """Deadlines, one after the other, on the campus of load runs."""

    def __init__(
        self, settings: Settings, connection: psycopg.Connection[Any], fastapi: str, options: argparse.Namespace
    ) -> None:
        self._settings, self._connection = settings, connection
        self._ground = Ground(settings, connection)
        self._members = self._ground.prepare(options.members)
        self._after = options.after
        self._urls = {"fastapi": fastapi.removesuffix("/rest/v1")}

    def deadline(self, side: str) -> dict[str, Any]:
        """Return what one deadline was like for the members of one side."""
        with (
            tempfile.TemporaryDirectory(prefix="circle27-deadline-") as folder,
            closing(self._clients(side, Path(folder))) as clients,
        ):
            slots = self._open_day()
            slot = slots[0]
            self._ground.join(self._members, slot)
            clients.begin(slots)
            began, ended = slot.deadline - BEFORE_S, slot.deadline + self._after
            if time.time() > began - POLLING_S:
                raise SystemExit("this machine did not get everyone on the list in time: fewer --members")
            used = Machine(self._settings, {"clients": clients.pids})
            sleep_until(began)
            used.cores()
            busy = busy_s()
            sleep_until(ended)
            parts, busy = used.cores(), busy_s() - busy
            seen, requests = clients.end(began)
        elsewhere = busy - sum(parts.values())
        # The peer's processes descend from this one, which sleeps.
        peer = parts.pop("this command")
        if side == "fastapi":
            parts["FastAPI, its nginx and PgBouncer"] = peer
        if not self._ground.matched(slot):
            raise SystemExit("the slot was not matched: circle27 logs worker")
        truth = self._ground.buttons(self._members, slot)
        return {
            **self._judge(seen, [truth[member.user_id]["buttonState"] for member in self._members]),
            "requests": requests,
            "cores": {part: round(seconds / (BEFORE_S + self._after), 3) for part, seconds in parts.items()},
            "cores_elsewhere": round(elsewhere / (BEFORE_S + self._after), 3),  # what else ran on the machine
        }

    def _clients(self, side: str, folder: Path) -> Streams | Pollers:
        url = self._urls.get(side, self._settings.url("gateway"))
        if side == "streams":
            return Streams(url, self._members)
        journey = "nine_reads" if side == "nine_reads" else "buttons"
        return Pollers(journey, url, self._members, self._ground.service_token(), folder)

    def _open_day(self) -> list[Slot]:
        """Open a day of three slots on an empty list: the one whose deadline comes, and two that are far."""
        for table in ("waitlist_entries", "time_slots"):
            self._connection.execute(
                f"delete from app.{table} where campus_id = %s"
                " and (time_slot at time zone 'UTC')::date = (app.clock() at time zone 'UTC')::date",
                [CAMPUS],
            )
        self._connection.execute("vacuum (analyze) app.waitlist_entries, app.time_slots, app.circle_members")
        lead = BEFORE_S + SETTLE_S + len(self._members) / 500
        far = 3600 if datetime.now(UTC).hour < 12 else -3600
        slots = [self._ground.open_slot(seconds) for seconds in (lead, 2 * far, 3 * far)]
        if len({slot.day for slot in slots}) > 1:
            raise SystemExit("the slots would not lie on one day of UTC: not within an hour of midnight, please")
        empty = "select not exists (select from events.outbox)"
        wait_until(lambda: bool((self._connection.execute(empty).fetchone() or [0])[0]), 20, "events stay")
        return slots

    def _judge(self, seen: Sequence[Seen], truth: Sequence[str]) -> dict[str, Any]:
        """Return who knew when, and how many did not, or were told something else before."""
        in_time = [[each for each in states if each[0] <= self._after] for states in seen]
        pairs = [(states, state) for states, state in zip(in_time, truth, strict=True) if states]
        return {
            "known_s": sorted(round(states[-1][0], 3) for states, state in pairs if states[-1][1] == state),
            "wrong": sum(states[-1][1] != state for states, state in pairs),
            "wrong_before": sum(any(shown != state for _, shown in states[:-1]) for states, state in pairs),
            "saw_nothing": len(truth) - len(pairs),
        }


def busy_s() -> float:
    """Return the processor seconds that the whole machine has used: user, nice, system, interrupts."""
    _, user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text("utf-8").split("\n", 1)[0].split()
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS


def sleep_until(moment: float) -> None:
    """Sleep until a moment of the clock."""
    time.sleep(max(0.0, moment - time.time()))


def line(one: dict[str, Any]) -> str:
    """Return what to print of one deadline."""
    others = ", ".join(f"{one[what]} {what}" for what in ("wrong", "wrong_before", "saw_nothing"))
    cores = f"cores {one['cores']}, elsewhere {one['cores_elsewhere']}"
    return f"know: {spread(one['known_s'])}; {others}; requests {one['requests']}; {cores}"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--after", type=int, default=POLLING_S + 5, help="seconds")
    options, path = parse(parser, RESULTS)
    settings = Settings.require()
    if settings.rate_limits:
        raise SystemExit("the stack has rate limits. First: CIRCLE27_RATE_LIMITS=off circle27 up")
    on = machine()
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    with (
        psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection,
        stack.running(settings) as addresses,
    ):
        connection.execute("set timezone = 'UTC'")
        bench = Bench(settings, connection, addresses["fastapi"][0], options)
        for number in range(options.rounds):
            for side in SIDES[:: -1 if number % 2 else 1]:
                one = bench.deadline(side)
                found[side].append(one)
                print(f"{side:10} {line(one)}", flush=True)
    results = json.loads(path.read_text("utf-8")) if path.exists() else {}
    results[str(options.members)] = {"machine": on, "options": {**vars(options), "before": BEFORE_S}, "rounds": found}
    text = json.dumps(dict(sorted(results.items(), key=lambda each: int(each[0]))), indent=1)
    # The seconds of all members on one line.
    text = re.sub(r"\[[\d.,\s]+\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), text)
    path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
